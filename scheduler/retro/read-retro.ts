import type { Config, WorkConfig } from '../../lib/config.ts';
import { readPeriod } from '../../lib/memory/period/period.ts';
import { DAY_MS } from '../../lib/memory/windows.ts';
import { readManualMinutes } from '../../lib/projects.ts';
import type { GoalStep } from '../goals.ts';
import { type RetroFigures, retroFigures } from './figures.ts';

/** Which days a retrospective looks back on. */
export interface RetroPeriod {
  readonly untilMs: number;
  readonly days: number;
}

/** What of the settings it needs, and what is measured by hand. */
export interface RetroSettings {
  readonly config: Config;
  readonly work: Pick<WorkConfig, 'workersMax'>;
  readonly goals: readonly GoalStep[];
}

/**
 * Reads what a retrospective says of the days that end at a moment, beside as many days before them. A week is 7 times 24
 * hours, as for the KPIs, also when clocks change: its figures are those `swarm kpi` showed at that moment.
 * @throws MemoryError saying why the memory cannot be read, UsageError if projects.json is wrong.
 */
export async function readRetro(
  { config, work, goals }: RetroSettings,
  { untilMs, days }: RetroPeriod,
): Promise<RetroFigures> {
  const options = {
    path: config.swarmDbPath,
    timezone: config.timezone,
    manualMinutes: readManualMinutes(config.projectsFile),
    eurPerUsd: config.eurPerUsd,
    infraCostEurMonth: config.infraCostEurMonth,
    days,
  };
  const before = await readPeriod({ ...options, untilMs: untilMs - days * DAY_MS, hasLessons: false });
  const period = await readPeriod({ ...options, untilMs, hasLessons: true });
  return retroFigures({ period, before, goals, workersMax: work.workersMax, eurPerUsd: config.eurPerUsd });
}
