import { probeSchema } from '../../lib/memory/schema.ts';
import { type OpenMemory, readMemory } from '../../lib/memory/source.ts';
import { createTimestampParser } from '../../lib/memory/timestamps.ts';
import { DAY_MS } from '../../lib/memory/windows.ts';
import { explainUnavailable } from './memory-unavailable.ts';
import { hasUsageTable } from './usage-table.ts';

/** What the queue's tasks have cost since the beginning of each period, US dollars. */
export interface Spent {
  readonly dayUsd: number;
  readonly weekUsd: number;
  readonly monthUsd: number;
}

export interface SpentOptions {
  readonly path: string;
  /** When the periods began, in milliseconds since the epoch. */
  readonly sinceMs: { readonly day: number; readonly week: number; readonly month: number };
}

/**
 * Sources of rows that stand for no run of the queue: figures taken from transcripts of other sessions, and those that
 * `swarm demo` makes up. Any other source counts, since a cost left out of a budget is money, one too many a pause.
 */
export const OUTSIDE_THE_QUEUE = ['transcript', 'orchestrator'] as const;

/**
 * Adds up what task_usage says the orchestrator has spent, to rebuild budgets from. A memory without that table has seen
 * no spending.
 * @throws MemoryBusyError or MemoryUnavailableError if the memory cannot be read.
 */
export async function readSpent({ path, sinceMs }: SpentOptions): Promise<Spent> {
  try {
    const rows = await readMemory(path, (memory) => costsSince(memory, path, Math.min(...Object.values(sinceMs))));
    return addUp(rows, sinceMs);
  } catch (error) {
    throw explainUnavailable(path, error);
  }
}

interface Cost {
  readonly ended_at: unknown;
  readonly cost_usd: unknown;
}

function costsSince({ db }: OpenMemory, path: string, sinceMs: number): readonly Cost[] {
  if (!hasUsageTable(probeSchema(db), path)) return [];
  const outside = OUTSIDE_THE_QUEUE.map((source) => `'${source}'`).join(', ');
  // The text of a date orders as the date does, whatever the form, as long as a day is left for offsets.
  const fromText = new Date(sinceMs - DAY_MS).toISOString().slice(0, 10);
  const sql = `SELECT ended_at, cost_usd FROM task_usage
    WHERE ended_at >= ? AND coalesce(source, '') NOT IN (${outside})`;
  return db.prepare<[string], Cost>(sql).all(fromText);
}

function addUp(rows: readonly Cost[], since: SpentOptions['sinceMs']): Spent {
  // Our own rows always say UTC; the zone is only there for what a stranger may have put among them.
  const parser = createTimestampParser('UTC');
  const costs = rows.map((row) => ({ endedMs: parser.timestamp(row.ended_at), microUsd: microUsd(row.cost_usd) }));
  const spentSince = (sinceMs: number): number =>
    costs.reduce((sum, each) => ((each.endedMs ?? 0) >= sinceMs ? sum + each.microUsd : sum), 0) / 1e6;
  return { dayUsd: spentSince(since.day), weekUsd: spentSince(since.week), monthUsd: spentSince(since.month) };
}

/** Whole micro-dollars, so that the order of the rows makes no difference. */
function microUsd(cost: unknown): number {
  return typeof cost === 'number' && cost > 0 && Number.isFinite(cost) ? Math.round(cost * 1e6) : 0;
}
