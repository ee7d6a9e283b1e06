import { errorSignature } from '../../lib/memory/error-signature.ts';
import type { EventRow } from '../../lib/memory/event-rows.ts';
import { prepareEventRows } from '../../lib/memory/event-rows.ts';
import { probeSchema } from '../../lib/memory/schema.ts';
import { endingKind, isPair, mergePair, type Task, taskOfRow } from '../../lib/memory/task.ts';
import { createTimestampParser } from '../../lib/memory/timestamps.ts';
import type { TestMemory } from './memory-builder.ts';

const DAY_MS = 86_400_000;

interface Usage {
  readonly task_id: string;
  readonly attempt: number;
  readonly ended_at: string;
  readonly model: string;
  readonly agent_name: string;
  readonly cost_usd: number;
}

/** What happened up to a moment, told as simply as swarm-memory.md does: every row again for every question. */
export function naivePeriod(memory: TestMemory, untilMs: number, days: number) {
  const { rows, usage } = memory.write((db) => {
    const reading = { schema: probeSchema(db), parser: createTimestampParser('Europe/Rome'), nowMs: untilMs };
    const all = prepareEventRows(db, { ...reading, detailsAfterMs: 0 })(Number.MIN_SAFE_INTEGER, 1_000_000);
    return { rows: all, usage: db.prepare<[], Usage>('SELECT * FROM task_usage ORDER BY rowid').all() };
  });
  const fromMs = untilMs - days * DAY_MS;
  const past = rows.filter(({ timeMs, futureMs }) => futureMs === undefined && (timeMs ?? 0) <= untilMs);
  const isWithin = ({ timeMs }: { readonly timeMs: number | undefined }): boolean =>
    timeMs !== undefined && timeMs > fromMs;
  const tasks = pairUp(past);
  const within = tasks.filter(isWithin);
  const retries = past.filter(({ eventType }) => eventType === 'task_retry');
  const fixes = past.filter(({ eventType }) => eventType === 'fix').flatMap(({ parentTaskId }) => parentTaskId ?? []);
  const errors = [...within, ...retries.filter(isWithin)].flatMap(({ errorMessage }) => errorMessage ?? []);
  const counts = (some: readonly Pair[]) => ({
    success: some.filter(({ outcome }) => outcome === 'success').length,
    failed: some.filter(({ outcome }) => outcome === 'failed').length,
    unknown: some.filter(({ outcome }) => outcome === 'unknown').length,
  });
  const isFixed = ({ ids, taskId }: Pair): boolean => fixes.some((id) => ids.includes(id) || id === taskId);
  const isRetried = (task: Pair): boolean =>
    retries.some(({ taskId }) => taskId !== undefined && taskId === task.taskId) ||
    (task.runId !== undefined &&
      tasks.some(
        (other) =>
          other !== task &&
          other.runId === task.runId &&
          (other.timeMs === undefined || other.timeMs > fromMs - 28 * DAY_MS),
      ));
  const durations = within.flatMap(({ durationMs }) => durationMs ?? []);
  const spent = usage.filter(({ ended_at }) => Date.parse(ended_at) <= untilMs);
  const spentWithin = spent.filter(({ ended_at }) => Date.parse(ended_at) > fromMs);
  const lastOutcome = new Map<string, string>();
  for (const { taskId, outcome } of endings(past)) {
    if (taskId !== undefined && outcome !== 'unknown') lastOutcome.set(taskId, outcome);
  }
  const isRepeated = ({ task_id, attempt }: Usage): boolean =>
    spent.some((other) => other.task_id === task_id && other.attempt > attempt);
  const usd = (some: readonly Usage[]): number =>
    rounded(some.reduce((sum, { cost_usd }) => sum + Math.round(cost_usd * 1e6) / 1e6, 0));
  const signatures = errors.map(errorSignature);
  return {
    outcomes: counts(within),
    queued: counts(within.filter(({ isQueued }) => isQueued)),
    agents: sortedBy(within, ({ agent }) => agent).map(([agent, own]) => ({
      agent,
      ...counts(own),
      fixed: own.filter(isFixed).length,
      retried: own.filter(isRetried).length,
    })),
    meanSeconds:
      durations.length === 0 ? undefined : rounded(durations.reduce((a, b) => a + b) / durations.length / 1e3),
    errors: sortedBy(signatures, (each) => each).map(([signature, own]) => [signature, own.length]),
    usd: usd(spentWithin),
    wastedUsd: {
      retried: usd(spentWithin.filter(isRepeated)),
      failed: usd(spentWithin.filter((row) => !isRepeated(row) && lastOutcome.get(row.task_id) === 'failed')),
    },
    byModel: sortedBy(spentWithin, ({ model }) => model).map(([model, own]) => [model, usd(own)]),
  };
}

type Pair = Task & { readonly ids: readonly (string | undefined)[]; readonly runId: string | undefined };

function endings(rows: readonly EventRow[]): Pair[] {
  return rows.flatMap((row) => {
    const kind = endingKind(row.eventType);
    return kind ? [{ ...taskOfRow(row, kind), ids: [row.id], runId: row.agentRunId }] : [];
  });
}

/** Rule 4: each ending row takes the earliest still unpaired row of the other kind that makes a pair with it. */
function pairUp(rows: readonly EventRow[]): readonly Pair[] {
  const tasks: Pair[] = [];
  const single: Pair[] = [];
  for (const ending of endings(rows)) {
    const mate = ending.mayPair ? single.find((other) => other.mayPair && isPair(other, ending)) : undefined;
    if (mate === undefined) {
      single.push(ending);
      tasks.push(ending);
      continue;
    }
    single.splice(single.indexOf(mate), 1);
    const task = ending.kind === 'task' ? ending : mate;
    const stop = ending.kind === 'task' ? mate : ending;
    const pair = { ...mergePair(mate, ending), ids: [...mate.ids, ...ending.ids], runId: task.runId ?? stop.runId };
    tasks.splice(tasks.indexOf(mate), 1, pair);
  }
  return tasks;
}

/** To what adding up in another order leaves alike. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

/** Groups by a name, in the order of the names. */
export function sortedBy<T>(values: readonly T[], nameOf: (value: T) => string): [string, T[]][] {
  const names = [...new Set(values.map(nameOf))].sort((one, other) => (one < other ? -1 : 1));
  return names.map((name) => [name, values.filter((value) => nameOf(value) === name)]);
}
