import type { SpendingOf } from '../../lib/memory/period/spending.ts';
import type { Change, Remark } from './advice.ts';
import { agentsInNeed, bestAgents } from './assess.ts';
import type { KpiOfRetro, RetroFigures } from './figures.ts';

/** Looks at the figures of a week for one thing, and has something to say of it or not. */
type Rule<T> = (figures: RetroFigures) => T | undefined;

const LEAST_OUTCOMES = 10;
const NOTABLE_CHANGE = 0.05;
const CHEAPER = 0.8;
const LEAST_USD = 0.1;
const LARGE_SHARE = 0.1;
const MOST_OF_IT = 0.5;
/** The same error so often is a habit. */
const HABIT = 3;
const LEAST_UNUSED = 3;
const FULL_SHARE = 0.1;
const LEAST_FULL_HOURS = 1;
const MODEL_TIMES = 2;
const LEAST_OF_MODEL = 5;
const DAYS_OF_WEEK = 7;

/** What went well, the most telling first. To add a rule: a function below, a line here, its facts and its sentences. */
export const REPEAT: readonly Rule<Remark>[] = [bestAgent, successRose, workedAlone, lessonWorks, costFell];

/** What went wrong, likewise. */
export const AVOID: readonly Rule<Remark>[] = [sameError, successFell, failedDearly, paidTwice, withoutReview];

/** What to change, the most urgent first. */
export const CHANGE: readonly Rule<Change>[] = [
  lookAtHooks,
  writeLesson,
  helpAgent,
  smallerBudget,
  oneMoreWorker,
  reviewAgent,
  cheaperModel,
  smallerTasks,
  fewerRetries,
  useLessons,
  useQueue,
  moreAlone,
];

/** What some rules have to say of the figures, in their order. */
export function advise<T>(rules: readonly Rule<T>[], figures: RetroFigures): readonly T[] {
  return rules.flatMap((rule) => rule(figures) ?? []);
}

function bestAgent({ agents }: RetroFigures): Remark | undefined {
  const [best] = bestAgents(agents);
  return (
    best && {
      kind: 'best-agent',
      facts: { agent: best.agent, success: best.success, known: best.success + best.failed },
    }
  );
}

function successRose(figures: RetroFigures): Remark | undefined {
  const change = successChange(figures);
  return change && change.now - change.before >= NOTABLE_CHANGE ? { kind: 'success-rose', facts: change } : undefined;
}

function successFell(figures: RetroFigures): Remark | undefined {
  const change = successChange(figures);
  return change && change.before - change.now >= NOTABLE_CHANGE ? { kind: 'success-fell', facts: change } : undefined;
}

/** Only of weeks in which enough outcomes are known. */
function successChange(figures: RetroFigures): { readonly now: number; readonly before: number } | undefined {
  const { outcomes, outcomesBefore } = figures;
  const { value: now, before } = kpi(figures, 'success_ratio');
  if (now === undefined || before === undefined) return undefined;
  const least = Math.min(outcomes.success + outcomes.failed, outcomesBefore.success + outcomesBefore.failed);
  return least < LEAST_OUTCOMES ? undefined : { now, before };
}

function workedAlone(figures: RetroFigures): Remark | undefined {
  if (!kpi(figures, 'autonomous_tasks_week').meetsTarget) return undefined;
  const [tasks, hours] = [perPeriod(figures, 'autonomous_tasks_week'), perPeriod(figures, 'hours_saved_week')];
  return { kind: 'worked-alone', facts: { tasks, hours } };
}

function lessonWorks({ lessons }: RetroFigures): Remark | undefined {
  const lesson = lessons?.applied.some[0];
  return lesson && lesson.timesApplied > 1
    ? { kind: 'lesson-works', facts: { lesson: lesson.problem, applied: lesson.timesApplied } }
    : undefined;
}

function costFell({ spending, spendingBefore }: RetroFigures): Remark | undefined {
  if (!spending || !spendingBefore || Math.min(spending.tasks, spendingBefore.tasks) < LEAST_OF_MODEL) return undefined;
  const [now, before] = [spending.usd / spending.tasks, spendingBefore.usd / spendingBefore.tasks];
  return now < before * CHEAPER ? { kind: 'cost-fell', facts: { now, before } } : undefined;
}

function sameError({ errors }: RetroFigures): Remark | undefined {
  const [most] = errors.kinds;
  if (!most || most.count < 2) return undefined;
  return { kind: 'same-error', facts: { example: most.example, count: most.count, countBefore: most.countBefore } };
}

function failedDearly({ spending }: RetroFigures): Remark | undefined {
  return spending && costly('failed-dearly', spending.wastedUsd.failed, spending.usd);
}

function paidTwice({ spending }: RetroFigures): Remark | undefined {
  return spending && costly('paid-twice', spending.wastedUsd.retried, spending.usd);
}

function costly(kind: 'failed-dearly' | 'paid-twice', usd: number, all: number): Remark | undefined {
  return usd >= LEAST_USD && usd / all >= LARGE_SHARE ? { kind, facts: { usd, share: usd / all } } : undefined;
}

function withoutReview({ agents }: RetroFigures): Remark | undefined {
  const facts = mostFixed(agents);
  return facts && { kind: 'without-review', facts };
}

function reviewAgent({ agents }: RetroFigures): Change | undefined {
  const facts = mostFixed(agents);
  return facts && { kind: 'review-agent', facts };
}

function mostFixed(agents: RetroFigures['agents']) {
  const found = agentsInNeed(agents).flatMap(({ agent, troubles }) => {
    const fixes = troubles.find((trouble) => trouble.kind === 'fixes');
    return fixes ? [{ agent, fixed: fixes.count, tasks: fixes.of }] : [];
  });
  return found.toSorted((one, other) => other.fixed / other.tasks - one.fixed / one.tasks).at(0);
}

function lookAtHooks({ outcomes }: RetroFigures): Change | undefined {
  return countAll(outcomes) === 0 ? { kind: 'look-at-hooks', facts: {} } : undefined;
}

function writeLesson({ errors }: RetroFigures): Change | undefined {
  const [most] = errors.kinds;
  return most && most.count >= HABIT
    ? { kind: 'write-lesson', facts: { example: most.example, count: most.count } }
    : undefined;
}

function helpAgent({ agents }: RetroFigures): Change | undefined {
  for (const { agent, troubles } of agentsInNeed(agents)) {
    const failures = troubles.find((trouble) => trouble.kind === 'failures');
    if (failures) return { kind: 'help-agent', facts: { agent, failed: failures.count, known: failures.of } };
  }
  return undefined;
}

function smallerBudget({ spending }: RetroFigures): Change | undefined {
  if (!spending || spending.byAgent.length < 2) return undefined;
  const allWastedUsd = spending.wastedUsd.failed + spending.wastedUsd.retried;
  const [most] = spending.byAgent.toSorted((one, other) => other.wastedUsd - one.wastedUsd);
  if (allWastedUsd < LEAST_USD || most.wastedUsd / allWastedUsd < MOST_OF_IT) return undefined;
  return { kind: 'smaller-budget', facts: { agent: most.name, wastedUsd: most.wastedUsd, allWastedUsd } };
}

function oneMoreWorker({ work, workersMax }: RetroFigures): Change | undefined {
  const [anySeconds = 0] = work.busySeconds;
  const fullSeconds = work.busySeconds[workersMax - 1] ?? 0;
  const share = anySeconds === 0 ? 0 : fullSeconds / anySeconds;
  const hours = fullSeconds / 3_600;
  return hours >= LEAST_FULL_HOURS && share >= FULL_SHARE
    ? { kind: 'one-more-worker', facts: { hours, share, workers: workersMax } }
    : undefined;
}

/** Of two models with enough tasks the one that costs much less and fails no more often. */
function cheaperModel({ spending }: RetroFigures): Change | undefined {
  const models = (spending?.byModel ?? []).filter(
    ({ outcomes }) => outcomes.success + outcomes.failed >= LEAST_OF_MODEL,
  );
  const byCost = models.toSorted((one, other) => usdPerTask(one) - usdPerTask(other));
  const [cheap, dear] = [byCost.at(0), byCost.at(-1)];
  if (!cheap || !dear || failureShare(cheap) > failureShare(dear)) return undefined;
  const times = usdPerTask(dear) / usdPerTask(cheap);
  return times >= MODEL_TIMES
    ? { kind: 'cheaper-model', facts: { model: cheap.name, dearModel: dear.name, times } }
    : undefined;
}

function smallerTasks({ work: { slow, withDuration } }: RetroFigures): Change | undefined {
  return slow >= HABIT && slow / withDuration > LARGE_SHARE
    ? { kind: 'smaller-tasks', facts: { slow, withDuration } }
    : undefined;
}

function fewerRetries(figures: RetroFigures): Change | undefined {
  const { value: share = 0, meetsTarget } = kpi(figures, 'retry_ratio');
  return meetsTarget === false && countAll(figures.outcomes) >= LEAST_OUTCOMES
    ? { kind: 'fewer-retries', facts: { share } }
    : undefined;
}

function useLessons({ lessons }: RetroFigures): Change | undefined {
  const count = lessons?.neverApplied?.count ?? 0;
  return count >= LEAST_UNUSED
    ? { kind: 'use-lessons', facts: { count, active: lessons?.activeCount ?? 0 } }
    : undefined;
}

function useQueue({ outcomes }: RetroFigures): Change | undefined {
  const tasks = countAll(outcomes);
  return tasks >= LEAST_OF_MODEL && outcomes.unknown / tasks > MOST_OF_IT
    ? { kind: 'use-queue', facts: { unknown: outcomes.unknown, tasks } }
    : undefined;
}

function moreAlone(figures: RetroFigures): Change | undefined {
  const { value: tasks, target = 0, meetsTarget } = kpi(figures, 'autonomous_tasks_week');
  return tasks !== undefined && meetsTarget === false ? { kind: 'more-alone', facts: { tasks, target } } : undefined;
}

function usdPerTask({ usd, tasks }: SpendingOf): number {
  return usd / tasks;
}

function failureShare({ outcomes: { success, failed } }: SpendingOf): number {
  return failed / (success + failed);
}

function countAll({ success, failed, unknown }: RetroFigures['outcomes']): number {
  return success + failed + unknown;
}

/** What a KPI that is told by the week was in the days themselves; 0 if it is not known. */
export function perPeriod(figures: RetroFigures, key: 'autonomous_tasks_week' | 'hours_saved_week'): number {
  return ((kpi(figures, key).value ?? 0) * figures.days) / DAYS_OF_WEEK;
}

/** One of the KPIs; each is always there. */
export function kpi({ kpis }: RetroFigures, key: KpiOfRetro['key']): KpiOfRetro {
  const found = kpis.find((each) => each.key === key);
  if (!found) throw new Error(`there is no KPI "${key}"`);
  return found;
}
