import type { Database } from 'better-sqlite3';
import type { MemorySchema } from '../schema.ts';
import type { Tally } from '../tally.ts';
import type { Task } from '../task.ts';
import type { TimestampParser } from '../timestamps.ts';
import { createUsageFigures, feedUsage, hasUsage, readUsageRows, USAGE_COLUMNS, type UsageFigures } from '../usage.ts';
import { WASTE_REASONS, wasteReason } from '../wasted-cost.ts';
import { WEEK, windowsOfDays } from '../windows.ts';
import { groupBy } from './group-by.ts';
import { countOutcomes, type Outcomes } from './outcomes.ts';

/** What one agent or model cost in a period, US dollars. */
export interface SpendingOf {
  readonly name: string;
  readonly usd: number;
  /** Part of it that was in vain. */
  readonly wastedUsd: number;
  readonly tasks: number;
  /** Of those tasks that ended in the period. */
  readonly outcomes: Outcomes;
}

/** What a period cost, US dollars. */
export interface Spending {
  readonly usd: number;
  readonly tasks: number;
  /** In vain, by reason: for tasks that failed, and for attempts that another followed. */
  readonly wastedUsd: Readonly<Record<(typeof WASTE_REASONS)[number], number>>;
  /** Dearest first. */
  readonly byAgent: readonly SpendingOf[];
  readonly byModel: readonly SpendingOf[];
}

export interface SpendingOptions {
  readonly db: Database;
  readonly schema: MemorySchema;
  readonly parser: TimestampParser;
  readonly tally: Tally;
  /** Those of the period. */
  readonly tasks: readonly Task[];
  readonly untilMs: number;
  readonly days: number;
}

/** One attempt of a task with one model. */
interface Cost {
  readonly agent: string;
  readonly model: string;
  readonly task: number;
  readonly microUsd: number;
  /** Its place in WASTE_REASONS, if it was in vain. */
  readonly wasted: number | undefined;
}

/** Reads the costs up to a moment, and those of the days before it by agent and model; undefined without a table of costs. */
export function readSpending({
  db,
  schema,
  parser,
  tally,
  tasks,
  untilMs,
  days,
}: SpendingOptions): { readonly figures: UsageFigures; readonly spending: Spending } | undefined {
  if (!hasUsage(schema)) return undefined;
  const figures = createUsageFigures(untilMs, windowsOfDays(days));
  const { rows } = readUsageRows(db, figures, untilMs);
  const known = rows.filter((row) => (parser.timestamp(row[ENDED_AT]) ?? untilMs) <= untilMs);
  feedUsage(figures, known, parser, untilMs);
  return { figures, spending: addUp(costsOf(figures, tally.failedTasks), tasks) };
}

/** Where a row of `readUsageRows` has its time. */
const ENDED_AT = 3;

function costsOf(figures: UsageFigures, failedTasks: ReadonlySet<number>): readonly Cost[] {
  const { log, agents, models, lastAttempts } = figures;
  const { from } = log.windows[WEEK];
  return Array.from({ length: log.length - from }, (_, index) => {
    const value = (column: keyof typeof USAGE_COLUMNS): number => log.columns[USAGE_COLUMNS[column]][from + index];
    return {
      agent: agents.names[value('agent')],
      model: models.names[value('model')],
      task: value('task'),
      microUsd: value('cost'),
      wasted: wasteReason(value('task'), value('attempt'), lastAttempts, failedTasks),
    };
  });
}

function addUp(costs: readonly Cost[], tasks: readonly Task[]): Spending {
  const byId = new Map(tasks.map((task) => [task.taskIdHash, task]));
  const wasted = WASTE_REASONS.map((reason, place) => [reason, usdOf(costs.filter((cost) => cost.wasted === place))]);
  return {
    usd: usdOf(costs),
    tasks: new Set(costs.map(({ task }) => task)).size,
    wastedUsd: Object.fromEntries(wasted) as Spending['wastedUsd'],
    byAgent: spendingBy(costs, ({ agent }) => agent, byId),
    byModel: spendingBy(costs, ({ model }) => model, byId),
  };
}

function spendingBy(
  costs: readonly Cost[],
  nameOf: (cost: Cost) => string,
  byId: ReadonlyMap<number, Task>,
): readonly SpendingOf[] {
  return [...groupBy(costs, nameOf)]
    .map(([name, own]) => {
      const ids = new Set(own.map(({ task }) => task));
      return {
        name,
        usd: usdOf(own),
        wastedUsd: usdOf(own.filter(({ wasted }) => wasted !== undefined)),
        tasks: ids.size,
        outcomes: countOutcomes([...ids].flatMap((id) => byId.get(id) ?? [])),
      };
    })
    .sort((one, other) => other.usd - one.usd || (one.name < other.name ? -1 : 1));
}

function usdOf(costs: readonly Cost[]): number {
  return costs.reduce((sum, { microUsd }) => sum + microUsd, 0) / 1e6;
}
