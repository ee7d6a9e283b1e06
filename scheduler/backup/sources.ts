import { existsSync, readFileSync, statSync } from 'node:fs';
import { listArchives } from '../../lib/memory/archive-files.ts';
import type { Settings } from '../settings.ts';

/** Something that is backed up. */
export interface Source {
  /** What it is called in the catalogue. */
  readonly name: string;
  readonly path: string;
  readonly kind: 'memory' | 'monitor-db' | 'settings';
  /** Backed up only when it has changed since the last time. */
  readonly isOftenUnchanged: boolean;
}

/** The names of the sources every backup has; archives come on top. */
export const DATABASES = { memory: 'memory', monitor: 'monitor' } as const;
export const SETTINGS_SOURCE = 'settings';

/** Everything that is backed up: both databases, what was moved out of the memory, and how this machine was set up. */
export function listSources({ config, scheduler }: Pick<Settings, 'config' | 'scheduler'>): readonly Source[] {
  const archives = listArchives(config.swarmDbPath).map(
    ({ path, year }): Source => ({ name: `archive-${year}`, path, kind: 'memory', isOftenUnchanged: true }),
  );
  return [
    { name: DATABASES.memory, path: config.swarmDbPath, kind: 'memory', isOftenUnchanged: false },
    { name: DATABASES.monitor, path: scheduler.monitorDbPath, kind: 'monitor-db', isOftenUnchanged: false },
    ...archives,
    { name: SETTINGS_SOURCE, path: SETTINGS_SOURCE, kind: 'settings', isOftenUnchanged: false },
  ];
}

/** What the files of a database look like: another text means that something may have changed. */
export function signatureOf(path: string): string {
  return ['', '-wal']
    .map((ending) => statSync(`${path}${ending}`, { bigint: true, throwIfNoEntry: false }))
    .map((file) => (file ? `${file.ino}.${file.size}.${file.mtimeNs}` : '-'))
    .join(' ');
}

/** How much a copy of a database takes at most, bytes; 0 if it is not there. */
export function sizeOf(path: string): number {
  return ['', '-wal'].reduce(
    (sum, ending) => sum + (statSync(`${path}${ending}`, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** How this machine was set up, as JSON: settings without secrets, and the files they name. */
export function describeSetup(
  { config, scheduler }: Pick<Settings, 'config' | 'scheduler'>,
  settings: unknown,
): string {
  const files = [config.projectsFile, scheduler.timetableFile].filter(
    (path): path is string => path !== undefined && existsSync(path),
  );
  return `${JSON.stringify(
    { version: 1, settings, files: Object.fromEntries(files.map((path) => [path, readFileSync(path, 'utf8')])) },
    null,
    2,
  )}\n`;
}
