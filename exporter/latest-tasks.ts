import { mask } from '../lib/mask.ts';
import { searchMemory } from '../lib/memory/search.ts';
import type { Outcome } from '../lib/memory/task.ts';

/** A task as those see it who know the password. */
export interface LatestTask {
  readonly agent: string;
  readonly project: string | undefined;
  readonly outcome: Outcome;
  /** Undefined if the memory does not say. */
  readonly endedMs: number | undefined;
  /** What was asked for, and what went wrong: masked and cut. */
  readonly text: string;
  readonly error: string;
}

const SHOWN = 20;
const LONGEST_TEXT = 500;

/** The tasks that ended last, the latest first. @throws MemoryError saying why the memory cannot be read. */
export async function readLatestTasks(path: string, timezone: string): Promise<readonly LatestTask[]> {
  const { tasks } = await searchMemory({ path, timezone, text: '', limit: SHOWN });
  return tasks.map(({ agent = '?', project, outcome, atMs, prompt = '', error = '' }) => ({
    agent,
    project,
    outcome,
    endedMs: atMs,
    text: fitted(prompt),
    error: outcome === 'failed' ? fitted(error) : '',
  }));
}

/** Masked before it is cut: half a key is no longer known for one. */
function fitted(text: string): string {
  const masked = mask(text).text;
  return masked.length > LONGEST_TEXT ? `${[...masked.slice(0, LONGEST_TEXT)].slice(0, -1).join('')}…` : masked;
}
