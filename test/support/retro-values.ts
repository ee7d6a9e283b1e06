import { loadConfig } from '../../lib/config.ts';
import { KPI_KEYS, KPI_TARGETS } from '../../lib/memory/kpis.ts';
import type { GoalStep } from '../../scheduler/goals.ts';
import type { RetroFigures } from '../../scheduler/retro/figures.ts';
import { type RetroPeriod, readRetro } from '../../scheduler/retro/read-retro.ts';
import { NOW } from './memory-values.ts';

/** Reads the retrospective of a memory with the default settings; of the week before NOW unless told otherwise. */
export function retroOf(
  path: string,
  { goals = [], ...period }: Partial<RetroPeriod> & { readonly goals?: readonly GoalStep[] } = {},
): Promise<RetroFigures> {
  const config = loadConfig({ SWARM_DB_PATH: path, PROJECTS_FILE: `${path}.projects.json` });
  return readRetro({ config, work: { workersMax: 2 }, goals }, { untilMs: NOW, days: 7, ...period });
}

const NO_OUTCOMES = { success: 0, failed: 0, unknown: 0 };

/** The figures of a week in which nothing is known but what a test says. */
export function retroValue(extra: Partial<RetroFigures> = {}): RetroFigures {
  return {
    from: new Date(NOW - 7 * 86_400_000).toISOString(),
    until: new Date(NOW).toISOString(),
    days: 7,
    isDemo: false,
    lastTask: undefined,
    outcomes: { success: 20, failed: 0, unknown: 0 },
    outcomesBefore: NO_OUTCOMES,
    daily: [],
    dailyBefore: [],
    queued: NO_OUTCOMES,
    kpis: kpiValues({}),
    agents: [],
    errors: { count: 0, countBefore: 0, kindCount: 0, repeatedKindCount: 0, kinds: [] },
    work: { withDuration: 0, seconds: 0, failedSeconds: 0, slow: 0, busySeconds: [] },
    longest: [],
    spending: undefined,
    spendingBefore: undefined,
    lessons: undefined,
    workersMax: 2,
    eurPerUsd: 1,
    ...extra,
  };
}

const KEYS = [...KPI_KEYS, 'geo_freedom_ratio'] as const;
type Values = Partial<Record<(typeof KEYS)[number], readonly [now: number, before?: number]>>;

/** Every KPI, with the values a test cares about. */
export function kpiValues(values: Values): RetroFigures['kpis'] {
  return KEYS.map((key) => {
    const [value, before] = values[key] ?? [undefined, undefined];
    const target = (KPI_TARGETS as Partial<Record<string, number>>)[key];
    const better = /success|applied|saved|autonomous|per_day|freedom/.test(key) ? 'more' : 'less';
    const isMet =
      value !== undefined && target !== undefined && (better === 'more' ? value >= target : value <= target);
    return { key, value, before, target, better, meetsTarget: value === undefined || !target ? undefined : isMet };
  });
}

/** An agent that did 10 tasks well, but for what a test says. */
export function agentValue(agent: string, extra: Partial<RetroFigures['agents'][number]> = {}) {
  return {
    agent,
    tasks: 10,
    success: 10,
    failed: 0,
    unknown: 0,
    fixed: 0,
    retried: 0,
    meanSeconds: undefined,
    withDuration: 0,
    usd: undefined,
    wastedUsd: undefined,
    ...extra,
  };
}

/** What a week cost, spent by agents and models that a test names. */
export function spendingValue(extra: Partial<NonNullable<RetroFigures['spending']>> = {}) {
  return { usd: 10, tasks: 20, wastedUsd: { failed: 0, retried: 0 }, byAgent: [], byModel: [], ...extra };
}

/** What one of them cost. */
export function spenderValue(
  name: string,
  usd: number,
  wastedUsd = 0,
  outcomes = { success: 10, failed: 0, unknown: 0 },
) {
  return { name, usd, wastedUsd, tasks: 10, outcomes };
}
