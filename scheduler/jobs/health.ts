import { readProjects } from '../../lib/projects.ts';
import { describeChanges } from '../health/describe-changes.ts';
import { hasResults, writeResults } from '../health/results.ts';
import { type CheckOutcome, runChecks } from '../health/run-checks.ts';
import { healthTargets } from '../health/targets.ts';
import { utc } from '../ledger.ts';
import { postMessage, tellAtEnd } from '../outbox.ts';
import type { Job, JobContext } from './job.ts';

const TRIES = 3;
const PAUSE_MS = 5_000;
const LONGEST_TEXT = 1_000;

/** Looks at every project, writes down what it found, and tells what has changed since the last time. */
export const createHealthJob = (pauseMs = PAUSE_MS): Job => ({
  name: 'health',
  run: async (context) => {
    const runUtc = utc(context.slot.slotMs);
    // Whoever died after writing it down has only something left to tell.
    const said = hasResults(context.db, runUtc) ? 'was checked already' : await check(context, runUtc, pauseMs);
    return await tellAtEnd(context, said);
  },
});

async function check(context: JobContext, runUtc: string, pauseMs: number): Promise<string> {
  const { settings, db, clock, signal } = context;
  const { projectsFile, swarmDbPath, language } = settings.config;
  const { backupDir } = settings.scheduler;
  const targets = healthTargets(readProjects(projectsFile).values(), swarmDbPath);
  const outcomes = await runChecks({ targets, swarmDbPath, backupDir, clock, signal, tries: TRIES, pauseMs });
  const write = db.transaction((): void => {
    const nowMs = clock();
    const changes = writeResults(db, outcomes, { runUtc, nowMs });
    if (changes.length === 0) return;
    const facts = {
      text: describeChanges(changes, language, LONGEST_TEXT),
      down: changes.filter(({ to }) => to === 'down').length,
      up: changes.filter(({ to }) => to === 'up').length,
    };
    postMessage(db, { kind: 'project-health', key: `health-${runUtc.replace(/[:.]/g, '')}`, facts }, nowMs);
  });
  write.immediate();
  return summarize(outcomes);
}

function summarize(outcomes: readonly CheckOutcome[]): string {
  const downs = outcomes.filter(({ state }) => state === 'down').map(({ project, check }) => `${project} ${check}`);
  const count = (state: CheckOutcome['state']): number => outcomes.filter((each) => each.state === state).length;
  const figures = `${count('up')} up, ${downs.length} down, ${count('unavailable')} unavailable`;
  return downs.length === 0 ? figures : `${figures} (${downs.join(', ')})`;
}
