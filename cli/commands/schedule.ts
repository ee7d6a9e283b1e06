import { readEnvironment } from '../../lib/config.ts';
import { UsageError } from '../../lib/errors.ts';
import { createLog } from '../../lib/log.ts';
import { withRunFile } from '../../lib/run-file.ts';
import { JOBS } from '../../scheduler/jobs/all.ts';
import { readSettings } from '../../scheduler/settings.ts';
import { type AddCommand, alignColumns, printJson, printLines } from '../command.ts';
import { localTime } from '../local-time.ts';
import { oneLine } from '../queue/describe-task.ts';
import { type ListedJob, listSchedule } from '../schedule/describe-schedule.ts';
import { runJobNow } from '../schedule/run-now.ts';

const LONGEST_TEXT = 100;

/** `swarm schedule`: what happens when, and one of it now. */
export const addScheduleCommand: AddCommand = (program) => {
  const schedule = program.command('schedule').description('what happens when: list, run');
  schedule
    .command('list', { isDefault: true })
    .description('show each job of the timetable: when it is next, how it last went, how late it is')
    .option('--json', 'print it as JSON')
    .action((options: { json?: true }) => {
      const jobs = listSchedule(readSettings(withRunFile(readEnvironment())), Date.now());
      if (options.json) printJson(jobs);
      else printLines(describe(jobs));
    });
  schedule
    .command('run')
    .description('run a job once, now, and wait for its end')
    .argument('<job>', 'a name that `schedule list` shows')
    .option('--json', 'print how it ended as JSON')
    .action(run);
};

async function run(job: string, options: { json?: true }): Promise<void> {
  if (!JOBS.some(({ name }) => name === job)) {
    throw new UsageError(
      `Could not run the job "${oneLine(job, LONGEST_TEXT)}": there is none of that name.`,
      `There are: ${JOBS.map(({ name }) => name).join(', ')}.`,
    );
  }
  const settings = readSettings(withRunFile(readEnvironment()));
  const end = await runJobNow(job, settings, createLog('schedule', 'silent'));
  const { state, summary, error, exitCode } = end;
  if (options.json) printJson({ job, state, summary, error });
  else if (state === 'done') printLines([`${job}: done${summary ? ` (${oneLine(summary, 500)})` : ''}`]);
  else process.stderr.write(`${job}: failed: ${oneLine(error ?? '', 500)}\n`);
  process.exitCode = exitCode;
}

function describe(jobs: readonly ListedJob[]): string[] {
  const rows = jobs.map(({ job, isOff, at, timezone, nextRun, lastRun, lastState, lastText, latenessSeconds }) => [
    job,
    at,
    isOff ? 'off' : local(nextRun, timezone),
    local(lastRun, timezone),
    lastState ?? 'never',
    latenessSeconds > 0 ? `${Math.ceil(latenessSeconds / 60)} min` : '',
    oneLine(lastText ?? '', LONGEST_TEXT),
  ]);
  return alignColumns([['job', 'at', 'next', 'last', 'state', 'late', ''], ...rows]);
}

function local(moment: string | null, timezone: string): string {
  if (moment === null) return '–';
  const { day, time } = localTime(Date.parse(moment), timezone);
  return `${day} ${time.slice(0, 5)}`;
}
