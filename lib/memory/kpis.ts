import { repeatedErrors } from './error-figures.ts';
import type { LessonFigures } from './lessons.ts';
import type { MemorySchema } from './schema.ts';
import type { Tally } from './tally.ts';
import { successRatio, tasksPerDay, windowDurations, windowOutcomes } from './task-figures.ts';
import type { UsageFigures } from './usage.ts';
import { weekTasks } from './week-figures.ts';
import { WEEK, WEEK_MS } from './windows.ts';

/** The KPIs of R16 that come from the swarm's memory and the settings, in the order people read them. */
export const KPI_KEYS = [
  'tasks_per_day',
  'success_ratio',
  'task_seconds_mean',
  'retry_ratio',
  'fix_after_agent_ratio',
  'repeated_errors',
  'lessons_applied_ratio',
  'tokens_per_task',
  'cost_eur_per_task',
  'infra_cost_eur_month',
  'hours_saved_week',
  'autonomous_tasks_week',
] as const;
export type KpiKey = (typeof KPI_KEYS)[number];

/** A KPI over the last 7 days; `value` is undefined where its input does not exist, `target` where it has none. */
export interface Kpi<Key extends string = KpiKey> {
  readonly key: Key;
  readonly value: number | undefined;
  readonly target: number | undefined;
  /** Whether more is better or less is; what makes a value meet its target. */
  readonly better: 'more' | 'less';
}

/** What KPIs are computed from. */
export interface KpiInput {
  readonly tally: Tally;
  readonly schema: MemorySchema;
  readonly lessons: LessonFigures | undefined;
  readonly usage: UsageFigures | undefined;
  readonly eurPerUsd: number;
  readonly infraCostEurMonth: number;
}

/** The targets that are the same for every memory. */
export const KPI_TARGETS = {
  success_ratio: 0.85,
  task_seconds_mean: 600,
  retry_ratio: 0.1,
  fix_after_agent_ratio: 0.2,
  repeated_errors: 0,
  lessons_applied_ratio: 1,
  infra_cost_eur_month: 15,
  autonomous_tasks_week: 10,
} as const satisfies Partial<Record<KpiKey, number>>;

/** The KPIs as swarm-memory.md defines them: the one implementation for exporter, retro, bot and command line. */
export function computeKpis(input: KpiInput): readonly Kpi[] {
  const values = computeValues(input);
  const { baseline } = tasksPerDay(input.tally.tasks);
  const targets: Partial<Record<KpiKey, number>> = {
    ...(baseline > 0 ? { tasks_per_day: baseline * 1.2 } : {}),
    ...KPI_TARGETS,
  };
  return KPI_KEYS.map((key) => ({
    key,
    value: values[key],
    target: targets[key],
    better: MORE_IS_BETTER.has(key) ? 'more' : 'less',
  }));
}

const MORE_IS_BETTER: ReadonlySet<KpiKey> = new Set([
  'tasks_per_day',
  'success_ratio',
  'lessons_applied_ratio',
  'hours_saved_week',
  'autonomous_tasks_week',
]);

/** Whether a KPI meets its target (reaching it is enough); undefined without a value or a target. */
export function meetsTarget({ value, target, better }: Kpi<string>): boolean | undefined {
  if (value === undefined || target === undefined) return undefined;
  return better === 'more' ? value >= target : value <= target;
}

function computeValues({ tally, schema, lessons, usage, ...settings }: KpiInput): Record<KpiKey, number | undefined> {
  const { week } = tally;
  const tasks = weekTasks(week);
  // Over another time than the 7 days of the definition they are still figures of a week.
  const perWeek = (sum: number): number => (sum * WEEK_MS) / week.log.windows[0].ms;
  const share = (part: number): number | undefined => (tasks === 0 ? undefined : part / tasks);
  const withUsage = usage?.windows[WEEK].tasks.size ?? 0;
  const perTask = (sum: number): number | undefined => (withUsage === 0 ? undefined : sum / withUsage);
  const has = (column: string): boolean => schema.events.has(column);
  return {
    tasks_per_day: tasksPerDay(tally.tasks).week,
    success_ratio: successRatio(windowOutcomes(tally.tasks, WEEK)),
    task_seconds_mean: windowDurations(tally.tasks, WEEK)?.mean,
    retry_ratio: has('notes') || has('task_id') ? share(week.retried) : undefined,
    fix_after_agent_ratio: has('parent_task_id') ? share(week.fixed) : undefined,
    repeated_errors: has('error_message') ? repeatedErrors(tally.errors, WEEK) : undefined,
    lessons_applied_ratio: lessons?.appliedRatio,
    tokens_per_task: perTask(usage?.windows[WEEK].tokens ?? 0),
    cost_eur_per_task: perTask(((usage?.windows[WEEK].costMicroUsd ?? 0) / 1e6) * settings.eurPerUsd),
    infra_cost_eur_month: settings.infraCostEurMonth,
    hours_saved_week: has('tags') ? perWeek(week.minutesSaved) / 60 : undefined,
    autonomous_tasks_week: has('tags') ? perWeek(week.autonomous) : undefined,
  };
}
