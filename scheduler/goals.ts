import type { Family } from '../lib/exposition.ts';
import { kpiFamily } from '../lib/kpi-family.ts';
import { utc } from './ledger.ts';
import type { MonitorDb } from './monitor-db.ts';

/** The KPI of R16 that does not come from the swarm's memory. */
export type GoalKpiKey = 'geo_freedom_ratio';

/** Something whose progress no machine can measure: it is set by hand, in percent. To add one: a line here. */
export const GOALS: readonly { readonly goal: string; readonly kpi: GoalKpiKey }[] = [
  { goal: 'liberta-geo', kpi: 'geo_freedom_ratio' },
];

/** How a goal stood from a moment on. */
export interface GoalStep {
  readonly goal: string;
  readonly percent: number;
  readonly setAt: string;
}

/** Writes down how far a goal has come; what was set before is kept. */
export function setGoal(db: MonitorDb, goal: string, percent: number, nowMs: number): void {
  db.prepare('INSERT INTO goals (goal, percent, set_at) VALUES (?, ?, ?)').run(goal, percent, utc(nowMs));
}

/** Every step of every goal, the oldest first. A monitor.db of an older version knows of none. */
export function readGoalSteps(db: MonitorDb): readonly GoalStep[] {
  const hasTable = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'goals'").get() !== undefined;
  if (!hasTable) return [];
  return db.prepare<[], GoalStep>('SELECT goal, percent, set_at AS setAt FROM goals ORDER BY id').all();
}

/** How far a goal has come, as a share of 1; undefined where it was not set. */
export interface GoalKpi {
  readonly key: GoalKpiKey;
  readonly value: number | undefined;
}

/** How far each goal has come by now. */
export function readGoalKpis(db: MonitorDb | undefined): readonly GoalKpi[] {
  return goalKpisAt(db === undefined ? [] : readGoalSteps(db), Number.POSITIVE_INFINITY);
}

/** How far each goal had come at a moment, by its steps. */
export function goalKpisAt(steps: readonly GoalStep[], atMs: number): readonly GoalKpi[] {
  return GOALS.map(({ goal, kpi }) => {
    const percent = steps.findLast((step) => step.goal === goal && Date.parse(step.setAt) <= atMs)?.percent;
    return { key: kpi, value: percent === undefined ? undefined : percent / 100 };
  });
}

/** The goals as metrics, beside the key figures that the exporter reads from the swarm's memory. */
export function collectGoals({ db }: { readonly db: MonitorDb }): readonly Family[] {
  return [kpiFamily(readGoalKpis(db))];
}
