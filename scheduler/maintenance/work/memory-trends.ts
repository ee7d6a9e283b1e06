import { MemoryError } from '../../../lib/memory/memory-error.ts';
import type { MemoryView } from '../../../lib/memory/reader.ts';
import { windowDurations, windowOutcomes } from '../../../lib/memory/task-figures.ts';
import { WEEK, WINDOWS } from '../../../lib/memory/windows.ts';
import { readMemoryOnce } from '../../../lib/read-memory.ts';
import { number } from '../../words.ts';
import { attention, type Finding, notHere, ok, type WorkContext } from '../task.ts';

const DAY = WINDOWS.findIndex(({ name }) => name === '24h');
/** So few failures are chance. */
const FEW_FAILURES = 3;
/** So much more than before is no chance. */
const [WORSE, DEARER, SLOWER] = [2, 1.5, 1.5];
const CHEAP_USD = 1;
const SLOW_SECONDS = 600;
/** Long beside the 10 s in which Prometheus wants an answer. */
const LONG_READING_SECONDS = 5;
/** The week before, whenever in the day it was run. */
const WEEK_DAYS = 6;

/** Whether more fails than usual: the last 24 hours beside the last 7 days. */
export const reviewErrors = (context: WorkContext): Promise<Finding> =>
  withMemory(context, ({ tally }) => {
    const [dayShare, weekShare] = [DAY, WEEK].map((window) => failedShare(windowOutcomes(tally.tasks, window)));
    const failures = windowOutcomes(tally.tasks, DAY)[1];
    const figures = { failures24h: failures };
    const [day, week] = [percent(dayShare), percent(weekShare)];
    const text = {
      it: `${failures} falliti in 24 ore (${day.it}; in 7 giorni ${week.it})`,
      en: `${failures} failed in 24 hours (${day.en}; in 7 days ${week.en})`,
    };
    const isWorse = failures >= FEW_FAILURES && (dayShare ?? 0) > WORSE * (weekShare ?? 0);
    return (isWorse ? attention : ok)(text, figures);
  });

/** Whether the week cost more than the one before. */
export const reviewCosts = (context: WorkContext): Promise<Finding> =>
  withMemory(context, (view) => {
    const usage = view.usage();
    if (usage === undefined) return notHere({ it: 'la memoria non conosce costi', en: 'the memory knows of no costs' });
    const costUsd = usage.windows[WEEK].costMicroUsd / 1e6;
    const before = context.earlier('costUsd', WEEK_DAYS);
    const [cost, last] = [number(costUsd, 2), number(before ?? 0, 2)];
    const text = {
      it: `${cost.it} $ in 7 giorni${before === undefined ? '' : `, la settimana prima ${last.it} $`}`,
      en: `${cost.en} $ in 7 days${before === undefined ? '' : `, ${last.en} $ the week before`}`,
    };
    const isDearer = before !== undefined && costUsd > CHEAP_USD && costUsd > DEARER * before;
    return (isDearer ? attention : ok)(text, { costUsd });
  });

/** Whether tasks take longer than the week before, and how long reading the whole memory takes. */
export const reviewSlowness = async (context: WorkContext): Promise<Finding> => {
  const startedAt = performance.now();
  return await withMemory(context, ({ tally }) => {
    const readingSeconds = (performance.now() - startedAt) / 1_000;
    const p95 = windowDurations(tally.tasks, WEEK)?.p95;
    const before = context.earlier('p95Seconds', WEEK_DAYS);
    const reading = number(readingSeconds, 1);
    const [now, last] = [number(p95 ?? 0), number(before ?? 0)];
    const it = p95 === undefined ? 'nessuna durata nota' : `95 % dei task entro ${now.it} s`;
    const en = p95 === undefined ? 'no duration is known' : `95 % of the tasks within ${now.en} s`;
    const text = {
      it: `${it}${before === undefined ? '' : ` (prima ${last.it} s)`}; memoria letta tutta in ${reading.it} s`,
      en: `${en}${before === undefined ? '' : ` (before ${last.en} s)`}; the whole memory read in ${reading.en} s`,
    };
    const isSlower = p95 !== undefined && before !== undefined && p95 > SLOW_SECONDS && p95 > SLOWER * before;
    const figures = { readingSeconds, ...(p95 === undefined ? {} : { p95Seconds: p95 }) };
    return (isSlower || readingSeconds > LONG_READING_SECONDS ? attention : ok)(text, figures);
  });
};

/** How many lessons are active, and how many of them have been used. */
export const reviewLessons = (context: WorkContext): Promise<Finding> =>
  withMemory(context, (view) => {
    const lessons = view.lessons();
    const active = lessons?.byStatus
      ?.filter(({ status }) => status === 'ACTIVE')
      .reduce((sum, { count }) => sum + count, 0);
    if (lessons === undefined || active === undefined) {
      return notHere({ it: 'la memoria non conosce lezioni', en: 'the memory knows of no lessons' });
    }
    const applied = percent(lessons.appliedRatio);
    return ok(
      { it: `${active} lezioni attive, usate ${applied.it}`, en: `${active} active lessons, ${applied.en} used` },
      { activeLessons: active },
    );
  });

async function withMemory({ settings }: WorkContext, use: (view: MemoryView) => Finding): Promise<Finding> {
  try {
    return await readMemoryOnce(settings.config, use);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    return notHere({
      it: `la memoria non si legge (${error.problem})`,
      en: `the memory cannot be read (${error.problem})`,
    });
  }
}

function failedShare([success, failed]: readonly number[]): number | undefined {
  return success + failed === 0 ? undefined : failed / (success + failed);
}

function percent(share: number | undefined) {
  if (share === undefined) return { it: 'nessun esito noto', en: 'no known outcome' };
  const { it, en } = number(share * 100);
  return { it: `${it} %`, en: `${en} %` };
}
