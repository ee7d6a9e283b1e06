import { OperatorError, UsageError } from '../../lib/errors.ts';
import { type AddCommand, loadCommandConfig, loadCommandWork, printJson, printLines } from '../command.ts';
import { oneLine } from '../queue/describe-task.ts';
import { readAgentSource } from '../trace/agent-source.ts';
import { describeTrace, type Trace } from '../trace/describe-trace.ts';
import { readMemorySource } from '../trace/memory-source.ts';
import { readQueueSource } from '../trace/queue-source.ts';
import { mergeReports, type SourceReport } from '../trace/timeline.ts';

/** `swarm trace`: one task from its request to its record, out of the queue, the agent's own log and the memory. */
export const addTraceCommand: AddCommand = (program) => {
  program
    .command('trace')
    .argument('<id>', "of a task, of an ending row of the memory, or a hook's agent id")
    .description('tell one task from request to record, in order of time')
    .option('--json', 'print it as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      const { timezone } = loadCommandConfig();
      const trace = await readWholeTrace(id);
      if (json) printJson(trace);
      else printLines(describeTrace(trace, timezone));
    });
};

/** @throws OperatorError if no source knows the id; UnreachableError if Redis, which might, cannot be asked. */
async function readWholeTrace(id: string): Promise<Trace> {
  if (id.trim() === '') throw new UsageError('Could not trace a task without an id.', 'See `swarm queue list`.');
  const config = loadCommandConfig();
  const { workDir } = loadCommandWork();
  const [queue, agent, memory] = await Promise.all([
    readQueueSource(id),
    readAgentSource(workDir, id),
    readMemorySource(config, id),
  ]);
  const reports: readonly SourceReport[] = [queue, agent, memory];
  const missing = reports.flatMap(({ source, missing: reason }) => (reason === undefined ? [] : [{ source, reason }]));
  if (missing.length === reports.length) {
    if (queue.unreachable) throw queue.unreachable;
    const reasons = missing.map(({ reason }) => reason.replace(/\.$/, '')).join('; ');
    throw new OperatorError(
      `Could not trace "${oneLine(id, 100)}": ${reasons}.`,
      'See `swarm queue list` for ids of tasks.',
    );
  }
  return { id, task: queue.task ?? memory.task ?? { id }, events: mergeReports(reports), missing };
}
