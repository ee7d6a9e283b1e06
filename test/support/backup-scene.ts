import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { type CommandResult, startSwarm, swarm } from './command-line.ts';
import { lessonRow, makeMemory, type TestMemory, taskRow, tempDir } from './memory-builder.ts';

/** What `swarm backup --json` prints of a database. */
export interface PrintedBackup {
  readonly source: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A memory, and everything needed to back it up, in one folder that goes when the test ends. */
export interface BackupScene {
  readonly folder: string;
  readonly memory: TestMemory;
  readonly backupDir: string;
  readonly monitorDbPath: string;
  readonly env: Readonly<Record<string, string>>;
  readonly swarm: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<CommandResult>;
  readonly start: (args: readonly string[], env?: Readonly<Record<string, string>>) => ReturnType<typeof startSwarm>;
  /** Makes a backup that must succeed; the memory's first. */
  readonly backup: (env?: Readonly<Record<string, string>>) => Promise<readonly PrintedBackup[]>;
  /** Names in BACKUP_DIR. */
  readonly files: () => readonly string[];
  /** Paths in the catalogue. */
  readonly catalogue: () => readonly string[];
}

/** A scene whose memory has two tasks and a lesson, closed cleanly. */
export function makeBackupScene(): BackupScene {
  const folder = tempDir();
  mkdirSync(join(folder, 'memory'));
  const memory = makeMemory({ path: join(folder, 'memory', 'swarm_memory.db') });
  memory.events(taskRow(Date.now() - 60_000), taskRow(Date.now() - 30_000));
  memory.insert('lessons_learned', lessonRow());
  const [backupDir, monitorDbPath] = [join(folder, 'backups'), join(folder, 'monitor', 'monitor.db')];
  const settings = { SWARM_DB_PATH: memory.path, MONITOR_DB_PATH: monitorDbPath, BACKUP_DIR: backupDir };
  const run: BackupScene['swarm'] = (args, env = {}) => swarm(args, { cwd: folder, env: { ...settings, ...env } });
  return {
    folder,
    memory,
    backupDir,
    monitorDbPath,
    env: settings,
    swarm: run,
    start: (args, env = {}) => startSwarm(args, { cwd: folder, env: { ...settings, ...env } }),
    backup: async (env) => {
      const { code, stdout, stderr } = await run(['backup', '--json'], env);
      expect([code, stderr]).toEqual([0, '']);
      return JSON.parse(stdout) as PrintedBackup[];
    },
    files: () => (existsSync(backupDir) ? readdirSync(backupDir).toSorted() : []),
    catalogue: () =>
      existsSync(monitorDbPath)
        ? readRows(monitorDbPath, 'SELECT file FROM backups ORDER BY file').flat().map(String)
        : [],
  };
}

/** Rows of a query on a database of a test; opened for writing, since a reader would leave a -wal behind. */
export function readRows(path: string, sql: string): readonly (readonly unknown[])[] {
  const db = new Database(path, { fileMustExist: true });
  try {
    return db.prepare(sql).raw().all() as unknown[][];
  } finally {
    db.close();
  }
}

export const countEvents = (path: string): unknown => readRows(path, 'SELECT count(*) FROM swarm_events')[0][0];

export function sha256Of(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
