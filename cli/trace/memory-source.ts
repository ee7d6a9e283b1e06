import type { Config } from '../../lib/config.ts';
import { describeError } from '../../lib/errors.ts';
import { readTaskRows, type TaskEventRow, type TaskRows, type TaskUsageRow } from '../../lib/memory/task-rows.ts';
import { OUTCOMES, stateOfOutcome } from '../../lib/queue/outcome.ts';
import type { Happening, SourceReport, TaskFacts } from './timeline.ts';

/** What the memory knows of an id, or why it cannot be read. */
export async function readMemorySource({ swarmDbPath, timezone }: Config, id: string): Promise<SourceReport> {
  try {
    const rows = await readTaskRows({ path: swarmDbPath, timezone, id });
    return reportRows(rows, id);
  } catch (error) {
    return { source: 'memory', happenings: [], missing: describeError(error) };
  }
}

/** What rows of the memory tell of an id. */
export function reportRows({ own, following, usage }: TaskRows, id: string): SourceReport {
  const happenings = [
    ...usage.map(describeUsage),
    ...[...own, ...following].map((row) => describeRow(row, id)),
  ].toSorted((one, other) => (one.atMs ?? 0) - (other.atMs ?? 0));
  const last = own.findLast(({ ending }) => ending !== undefined) ?? own.at(-1);
  return {
    source: 'memory',
    happenings,
    task: last && factsOf(last, id),
    missing: happenings.length === 0 ? 'no row of it in the memory' : undefined,
  };
}

function describeUsage({ atMs, attempt, model, costUsd, ...tokens }: TaskUsageRow): Happening {
  const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = tokens;
  const cached = cacheReadTokens + cacheCreationTokens;
  const detail = `attempt ${attempt}, ${model}: ${inputTokens} tokens in, ${outputTokens} out, ${cached} cached, ${costUsd.toFixed(4)} USD`;
  return { atMs, event: 'usage', detail };
}

function describeRow(row: TaskEventRow, id: string): Happening {
  const { agent, project, status, durationMs, notes, error } = row;
  const who = [agent, project].filter((each) => each !== undefined).join(' in ');
  const parts = [
    row.taskId !== undefined && row.taskId !== id ? `task ${row.taskId}` : '',
    who,
    status ?? '',
    durationMs === undefined ? '' : `${(durationMs / 1_000).toFixed(1)} s`,
    typeof notes.note === 'string' ? notes.note : '',
    error ?? '',
  ];
  return { atMs: row.atMs, event: row.eventType || 'row', detail: parts.filter((part) => part !== '').join(', ') };
}

/** What a row says of its task, by the names that `queue show` has for it. */
function factsOf({ notes, ...row }: TaskEventRow, id: string): TaskFacts {
  const outcome = OUTCOMES.find((each) => each === (notes.outcome ?? row.status));
  const known = { success: 'completed', failed: 'failed', unknown: null } as const;
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    id,
    state: row.ending === undefined ? null : outcome ? stateOfOutcome(outcome) : known[row.outcome],
    agent: row.agent ?? null,
    project: row.project ?? null,
    attempts: number(notes.attempts ?? notes.attempt),
    outcome: outcome ?? null,
    costUsd: number(notes.costUsd),
    error: row.error ?? null,
    model: text(notes.model),
    endedAt: row.ending === undefined || row.atMs === undefined ? null : new Date(row.atMs).toISOString(),
    sessionId: row.sessionId ?? null,
    branch: text(notes.branch),
    prompt: row.prompt ?? null,
  };
}
