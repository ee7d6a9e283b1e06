import { join } from 'node:path';
import { describeError } from '../../lib/errors.ts';
import { readTaskLog } from '../../orchestrator/runner/kept-logs.ts';
import { readAgentLog } from './agent-log.ts';
import type { SourceReport } from './timeline.ts';

/** As much as a log and the one before it can hold. */
const MOST_BYTES = 20_000_000;
/** Only ids of this form have logs. */
const TASK_ID = /^[\w-]{1,64}$/;

/** What the agents of a task said, by the log of their runs on this machine. */
export async function readAgentSource(workDir: string, id: string): Promise<SourceReport> {
  const folder = join(workDir, 'logs');
  const none = `no log of it in ${folder}`;
  if (!TASK_ID.test(id)) return { source: 'agent', happenings: [], missing: none };
  try {
    const lines = await readTaskLog({ folder, taskId: id, maxBytes: MOST_BYTES });
    const happenings = readAgentLog(lines);
    return { source: 'agent', happenings, missing: lines.length === 0 ? none : undefined };
  } catch (error) {
    return { source: 'agent', happenings: [], missing: describeError(error) };
  }
}
