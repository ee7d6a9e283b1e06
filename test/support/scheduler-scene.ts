import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createLog } from '../../lib/log.ts';
import { assemble, type Machinery, type Overrides } from '../../scheduler/assemble.ts';
import type { Job, JobContext, JobReport } from '../../scheduler/jobs/job.ts';
import { readSettings, type Settings } from '../../scheduler/settings.ts';
import type { TimetableEntry } from '../../scheduler/timetable.ts';
import { tempDir } from './memory-builder.ts';

/** The settings of a scheduler whose files are all in a folder. */
export function schedulerSettings(folder: string, env: Readonly<Record<string, string>> = {}): Settings {
  return readSettings({
    MONITOR_DB_PATH: join(folder, 'monitor.db'),
    PROJECTS_FILE: join(folder, 'projects.json'),
    SCHEDULER_PORT: '0',
    LOG_LEVEL: 'silent',
    REDIS_URL: 'redis://127.0.0.1:1',
    ...env,
  });
}

/** A job that notes which slots it was run for, then does what it is told to. */
export function notingJob(
  name: string,
  work: (context: JobContext) => Promise<JobReport | undefined> = async () => undefined,
): { readonly job: Job; readonly seen: string[] } {
  const seen: string[] = [];
  const run = async (context: JobContext): Promise<JobReport | undefined> => {
    seen.push(new Date(context.slot.slotMs).toISOString());
    return await work(context);
  };
  return { seen, job: { name, run: run as Job['run'] } };
}

/** An entry of a timetable with what a test does not care about. */
export function entry(job: string, at: string, more: Partial<TimetableEntry> = {}): TimetableEntry {
  return { job, at, catchUp: { policy: 'latest', withinHours: 24 }, overlap: 'skip', ...more };
}

/** Puts a scheduler together without starting its clock; it is taken apart when the test ends. */
export function makeMachinery(
  overrides: Overrides,
  { folder = tempDir(), env = {} }: { folder?: string; env?: Readonly<Record<string, string>> } = {},
): Machinery & { readonly tickUntilSettled: () => Promise<void> } {
  const machinery = assemble(schedulerSettings(folder, env), createLog('test', 'silent'), overrides);
  onTestFinished(machinery.close);
  return {
    ...machinery,
    tickUntilSettled: async () => {
      machinery.runner.tick();
      await machinery.runner.settled();
    },
  };
}

/** Writes a projects.json for repositories by their names. */
export function writeProjects(folder: string, projects: readonly Readonly<Record<string, unknown>>[]): void {
  writeFileSync(join(folder, 'projects.json'), JSON.stringify({ projects }));
}
