import type { LongTask } from '../../../lib/memory/period/period.ts';
import type { Retro } from '../style.ts';

const MOST_LONGEST = 3;

/** Where the time went: long tasks, failed ones, those done again or mended; and whether more agents would help. */
export function time(retro: Retro): readonly string[] {
  const { words } = retro;
  return [`## ${words.time.heading}`, '', ...lost(retro), '', `## ${words.workers.heading}`, '', workers(retro)];
}

function lost({ figures, words, say, style }: Retro): readonly string[] {
  const { agents, work, longest } = figures;
  const sum = (of: 'tasks' | 'retried' | 'fixed'): number => agents.reduce((total, each) => total + each[of], 0);
  const again = `- ${words.time.again(sum('retried'), sum('fixed'))}`;
  if (work.withDuration === 0) return [`- ${words.time.notKnown}`, again];
  const known = words.time.known(work.withDuration, sum('tasks'), say.duration(work.seconds));
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
    again,
  ];
}

/** More of them help only where all places are taken at once for a good part of the time. */
const FULL_SHARE = 0.1;
const LEAST_FULL_SECONDS = 3_600;

function workers({ figures, words, say }: Retro): string {
  const { busySeconds } = figures.work;
  const [any = 0] = busySeconds;
  if (any === 0) return words.workers.notKnown;
  const full = busySeconds[figures.workersMax - 1] ?? 0;
  const isFull = full >= LEAST_FULL_SECONDS && full / any >= FULL_SHARE;
  const text = isFull
    ? words.workers.yes(figures.workersMax, say.duration(full), say.percent(full / any))
    : words.workers.no(figures.workersMax, say.duration(full), say.duration(any));
  return `${text} ${words.workers.estimate}`;
}
