import type { LongTask } from '../../../lib/memory/period/period.ts';
import { isEmptyWeek } from '../figures.ts';
import { kpi } from '../rules.ts';
import type { Retro } from '../style.ts';

const MOST_LONGEST = 3;

/** Where the time went: long tasks, failed ones, those done again or mended; and whether more agents would help. */
export function time(retro: Retro): readonly string[] {
  const { words } = retro;
  if (isEmptyWeek(retro.figures)) return [];
  return [`## ${words.time.heading}`, '', ...lost(retro), '', `## ${words.workers.heading}`, '', workers(retro)];
}

function lost(retro: Retro): readonly string[] {
  const { figures, words, say, style } = retro;
  const { agents, work, longest } = figures;
  const tasks = agents.reduce((total, each) => total + each.tasks, 0);
  if (work.withDuration === 0) return [`- ${words.time.notKnown}`, ...again(retro)];
  const known = words.time.known(work.withDuration, tasks, say.duration(work.seconds));
  const failed = work.failedSeconds > 0 ? words.time.failed(say.duration(work.failedSeconds)) : '';
  const taskText = ({ agent, project, seconds, outcome, description }: LongTask): string => {
    const text = words.time.task(say.duration(seconds), style.prose(agent), style.prose(project));
    const what = description === undefined ? '' : `: ${style.quote(description)}`;
    return `  - ${text}${what} (${words.time.outcomes[outcome]})`;
  };
  return [
    `- ${known}${failed}.`,
    `- ${words.time.slow(work.slow)} ${words.time.longest}`,
    ...longest.slice(0, MOST_LONGEST).map(taskText),
    ...again(retro),
  ];
}

/** What was done more than once, as far as this memory says so. */
function again({ figures, words }: Retro): readonly string[] {
  const sum = (of: 'retried' | 'fixed'): number => figures.agents.reduce((total, each) => total + each[of], 0);
  const isKnown = (key: 'retry_ratio' | 'fix_after_agent_ratio'): boolean => kpi(figures, key).value !== undefined;
  const parts = [
    ...(isKnown('retry_ratio') ? [words.time.retried(sum('retried'))] : []),
    ...(isKnown('fix_after_agent_ratio') ? [words.time.fixed(sum('fixed'))] : []),
  ];
  const text = parts.join(', ');
  return text === '' ? [] : [`- ${text[0].toUpperCase()}${text.slice(1)}.`];
}

/** More of them help only where all places are taken at once for a good part of the time. */
const FULL_SHARE = 0.1;
const LEAST_FULL_SECONDS = 3_600;

function workers({ figures, words, say }: Retro): string {
  const { busySeconds } = figures.work;
  const [any = 0] = busySeconds;
  if (any === 0) return words.workers.notKnown;
  const full = busySeconds[figures.workersMax - 1] ?? 0;
  const places = figures.workersMax;
  const text =
    full >= LEAST_FULL_SECONDS && full / any >= FULL_SHARE
      ? words.workers.yes(places, say.duration(full), say.percent(full / any))
      : full === 0 || places === 1
        ? words.workers.no(places, say.duration(any))
        : words.workers.hardly(places, say.duration(full), say.duration(any));
  return `${text} ${words.workers.estimate}`;
}
