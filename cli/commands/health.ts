import { readEnvironment } from '../../lib/config.ts';
import { EXIT } from '../../lib/errors.ts';
import { readProjects } from '../../lib/projects.ts';
import { withRunFile } from '../../lib/run-file.ts';
import { type LatestResult, readLatestResults } from '../../scheduler/health/results.ts';
import { type CheckOutcome, runChecks } from '../../scheduler/health/run-checks.ts';
import { healthTargets } from '../../scheduler/health/targets.ts';
import { lookIntoMonitorDb } from '../../scheduler/monitor-db.ts';
import { readSettings, type Settings } from '../../scheduler/settings.ts';
import { duration } from '../../scheduler/words.ts';
import { type AddCommand, alignColumns, printJson, printLines } from '../command.ts';
import { oneLine } from '../queue/describe-task.ts';

/** Somebody sits there and waits. */
const [TRIES, PAUSE_MS] = [2, 1_000];
const LONGEST_TEXT = 120;

/** `swarm health`: how the projects are, now. */
export const addHealthCommand: AddCommand = (program) => {
  program
    .command('health')
    .description('check every project now; exit code 1 if something is down')
    .option('--json', 'print it as JSON')
    .action(async (options: { json?: true }) => {
      const settings = readSettings(withRunFile(readEnvironment()));
      const { projectsFile, swarmDbPath } = settings.config;
      const outcomes = await runChecks({
        targets: healthTargets(readProjects(projectsFile).values(), swarmDbPath),
        swarmDbPath,
        backupDir: settings.scheduler.backupDir,
        clock: Date.now,
        signal: new AbortController().signal,
        tries: TRIES,
        pauseMs: PAUSE_MS,
      });
      const known = readKnown(settings);
      if (options.json) printJson(outcomes.map((outcome) => toJson(outcome, known)));
      else printLines(describe(outcomes, known, Date.now()));
      if (outcomes.some(({ state }) => state === 'down')) process.exitCode = EXIT.failed;
    });
};

type Known = (outcome: CheckOutcome) => LatestResult | undefined;

/** What the scheduler knows of a check, if it last found it as it is now. */
function readKnown({ scheduler }: Settings): Known {
  const db = lookIntoMonitorDb(scheduler.monitorDbPath);
  const results = db === undefined ? [] : readLatestResults(db);
  db?.close();
  return ({ project, check, state }) =>
    results.find((each) => each.project === project && each.check === check && each.knownState === state);
}

function toJson(outcome: CheckOutcome, known: Known) {
  const { project, check, type, state, seconds, text, figures = {} } = outcome;
  const since = known(outcome)?.knownSinceMs;
  return {
    ...{ project, check, type, state, seconds: Number(seconds.toFixed(3)), text: text.en, figures },
    since: since === undefined ? null : new Date(since).toISOString(),
  };
}

function describe(outcomes: readonly CheckOutcome[], known: Known, nowMs: number): string[] {
  const rows = outcomes.map((outcome) => {
    const since = known(outcome)?.knownSinceMs;
    return [
      outcome.project,
      outcome.check,
      outcome.state,
      since === undefined ? '–' : duration(Math.max(0, nowMs - since)).en,
      `${outcome.seconds.toFixed(2)} s`,
      oneLine(outcome.text.en, LONGEST_TEXT),
    ];
  });
  return alignColumns([['project', 'check', 'state', 'for', 'took', 'found'], ...rows]);
}
