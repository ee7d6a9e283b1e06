import { type Kpi, type KpiKey, meetsTarget } from '../../lib/memory/kpis.ts';
import type { LessonRow } from '../../lib/memory/lesson-rows.ts';
import type { AgentOfPeriod } from '../../lib/memory/period/agents.ts';
import type { DayOfPeriod } from '../../lib/memory/period/daily.ts';
import type { ErrorKind } from '../../lib/memory/period/errors.ts';
import type { Outcomes } from '../../lib/memory/period/outcomes.ts';
import type { LongTask, Period } from '../../lib/memory/period/period.ts';
import type { Spending } from '../../lib/memory/period/spending.ts';
import type { WorkOfPeriod } from '../../lib/memory/period/work.ts';
import { type GoalKpiKey, type GoalStep, goalKpisAt } from '../goals.ts';
import { cleanText } from './clean.ts';

/** A KPI beside the period before; `before` is undefined where nobody knows it. */
export interface KpiOfRetro extends Kpi<KpiKey | GoalKpiKey> {
  readonly before: number | undefined;
  readonly meetsTarget: boolean | undefined;
}

/** A kind of error, and how often it occurred in the period before. */
export interface ErrorOfRetro extends Omit<ErrorKind, 'signature'> {
  readonly countBefore: number;
}

/** A lesson in short. */
export interface LessonOfRetro {
  readonly problem: string;
  readonly solution: string | undefined;
  readonly severity: string | undefined;
  readonly timesApplied: number;
}

/** Some lessons, and how many there are of them. */
export interface Lessons {
  readonly count: number;
  readonly some: readonly LessonOfRetro[];
}

/** What is known of the lessons at the end of a period. */
export interface LessonsOfRetro {
  readonly total: number;
  readonly written: Lessons;
  /** Applied in the period, most often applied first. */
  readonly applied: Lessons;
  /** Undefined in a memory whose lessons have no status. */
  readonly activeCount: number | undefined;
  readonly neverApplied: Lessons | undefined;
}

/** Everything a retrospective says, as figures. Text from outside is cleaned: short, visible, without secrets. */
export interface RetroFigures {
  /** ISO 8601 in UTC. */
  readonly from: string;
  readonly until: string;
  readonly days: number;
  readonly isDemo: boolean;
  readonly lastTask: string | undefined;
  readonly outcomes: Outcomes;
  readonly outcomesBefore: Outcomes;
  readonly daily: readonly DayOfPeriod[];
  readonly dailyBefore: readonly DayOfPeriod[];
  readonly queued: Outcomes;
  readonly kpis: readonly KpiOfRetro[];
  readonly agents: readonly AgentOfPeriod[];
  readonly errors: {
    readonly count: number;
    readonly countBefore: number;
    readonly kindCount: number;
    readonly repeatedKindCount: number;
    readonly kinds: readonly ErrorOfRetro[];
  };
  readonly work: WorkOfPeriod;
  readonly longest: readonly LongTask[];
  readonly spending: Spending | undefined;
  readonly spendingBefore: Pick<Spending, 'usd' | 'tasks' | 'wastedUsd'> | undefined;
  readonly lessons: LessonsOfRetro | undefined;
  /** How many agents may work at once. */
  readonly workersMax: number;
  readonly eurPerUsd: number;
}

/** Whether no task ended in its days. */
export function isEmptyWeek({ outcomes: { success, failed, unknown } }: RetroFigures): boolean {
  return success + failed + unknown === 0;
}

export interface RetroSources {
  readonly period: Period;
  readonly before: Period;
  /** What is measured by hand. */
  readonly goals: readonly GoalStep[];
  readonly workersMax: number;
  readonly eurPerUsd: number;
}

const LONGEST_ERROR = 120;
const LONGEST_DESCRIPTION = 60;
const LONGEST_LESSON = 110;
const MOST_KINDS = 10;
const MOST_LESSONS = 5;

/** Puts a period and the one before it together. */
export function retroFigures({ period, before, goals, workersMax, eurPerUsd }: RetroSources): RetroFigures {
  const { days, isDemo, outcomes, queued, agents, errors, work, spending, lessons } = period;
  return {
    from: new Date(period.fromMs).toISOString(),
    until: new Date(period.untilMs).toISOString(),
    days,
    isDemo,
    lastTask: period.lastTaskMs === undefined ? undefined : new Date(period.lastTaskMs).toISOString(),
    outcomes,
    outcomesBefore: before.outcomes,
    queued,
    daily: period.daily,
    dailyBefore: before.daily,
    kpis: [...compareKpis(period, before), ...compareGoals(goals, period)],
    agents: agents.map((each) => ({ ...each, agent: cleanText(each.agent, LONGEST_DESCRIPTION) })),
    errors: {
      count: errors.count,
      countBefore: before.errors.count,
      kindCount: errors.kindCount,
      repeatedKindCount: errors.repeatedKindCount,
      kinds: errors.kinds.slice(0, MOST_KINDS).map((kind) => describeError(kind, before)),
    },
    work,
    longest: period.longest.map(cleanTask),
    spending: spending && cleanSpending(spending),
    spendingBefore: before.spending && {
      usd: before.spending.usd,
      tasks: before.spending.tasks,
      wastedUsd: before.spending.wastedUsd,
    },
    lessons: lessons && sortLessons(lessons, period),
    workersMax,
    eurPerUsd,
  };
}

function compareKpis({ kpis }: Period, before: Period): readonly KpiOfRetro[] {
  return kpis.map((kpi, index) => ({ ...kpi, before: before.kpis[index].value, meetsTarget: meetsTarget(kpi) }));
}

/** Goals have no target but their end. */
function compareGoals(steps: readonly GoalStep[], { fromMs, untilMs }: Period): readonly KpiOfRetro[] {
  const before = goalKpisAt(steps, fromMs);
  return goalKpisAt(steps, untilMs).map((goal, index) => ({
    ...goal,
    before: before[index].value,
    target: undefined,
    better: 'more',
    meetsTarget: undefined,
  }));
}

function describeError({ signature, example, agents, count, isNew }: ErrorKind, before: Period): ErrorOfRetro {
  return {
    count,
    countBefore: before.errors.kinds.find((kind) => kind.signature === signature)?.count ?? 0,
    example: cleanText(example, LONGEST_ERROR),
    agents: agents.map((agent) => cleanText(agent, LONGEST_DESCRIPTION)),
    isNew,
  };
}

function cleanTask(task: LongTask): LongTask {
  const { agent, project, description } = task;
  return {
    ...task,
    agent: cleanText(agent, LONGEST_DESCRIPTION),
    project: cleanText(project, LONGEST_DESCRIPTION),
    description: description === undefined ? undefined : cleanText(description, LONGEST_DESCRIPTION),
  };
}

function cleanSpending(spending: Spending): Spending {
  const clean = (some: Spending['byAgent']): Spending['byAgent'] =>
    some.map((each) => ({ ...each, name: cleanText(each.name, LONGEST_DESCRIPTION) }));
  return { ...spending, byAgent: clean(spending.byAgent), byModel: clean(spending.byModel) };
}

const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];

function sortLessons(lessons: readonly LessonRow[], { fromMs, untilMs }: Period): LessonsOfRetro {
  const isWithin = (ms: number | undefined): boolean => ms !== undefined && ms > fromMs && ms <= untilMs;
  const active = lessons.filter(({ status }) => status === 'ACTIVE');
  const hasStatus = lessons.every(({ status }) => status !== undefined);
  const mostApplied = (one: LessonRow, other: LessonRow): number => other.timesApplied - one.timesApplied;
  const gravest = (one: LessonRow, other: LessonRow): number => gravity(one) - gravity(other);
  return {
    total: lessons.length,
    written: some(lessons.filter(({ writtenMs }) => isWithin(writtenMs)).toSorted(gravest)),
    applied: some(lessons.filter(({ lastAppliedMs }) => isWithin(lastAppliedMs)).toSorted(mostApplied)),
    activeCount: hasStatus ? active.length : undefined,
    neverApplied: hasStatus
      ? some(active.filter(({ timesApplied }) => timesApplied === 0).toSorted(gravest))
      : undefined,
  };
}

function gravity({ severity }: LessonRow): number {
  const place = SEVERITIES.indexOf(severity ?? '');
  return place === -1 ? SEVERITIES.length : place;
}

function some(lessons: readonly LessonRow[]): Lessons {
  return { count: lessons.length, some: lessons.slice(0, MOST_LESSONS).map(shorten) };
}

/** A lesson in a line; what says more of a lesson without a problem is said in its place. */
export function shorten({ problem, context, pattern, solution, severity, timesApplied }: LessonRow): LessonOfRetro {
  const clean = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : cleanText(text, LONGEST_LESSON);
  return {
    problem: clean(problem ?? context ?? pattern) ?? '…',
    solution: clean(solution ?? (problem === undefined ? undefined : pattern)),
    severity: clean(severity),
    timesApplied,
  };
}
