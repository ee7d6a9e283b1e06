import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stateOf } from '../support/exporter-state.ts';
import { makeMemory, type TestMemory, tempDir } from '../support/memory-builder.ts';
import { fiveRuns } from '../support/memory-figures.ts';
import { boundByPermissions } from '../support/programs.ts';
import { type RunningExporter, startExporter } from '../support/running-exporter.ts';
import { startWriter } from '../support/writer-process.ts';

const ADD_ONE = `INSERT INTO swarm_events (id, timestamp, event_type) VALUES (hex(randomblob(8)), '', 'task_success')`;
const addOne = (memory: TestMemory): void => void memory.write((db) => db.exec(ADD_ONE));
const start = ({ path }: TestMemory): Promise<RunningExporter> => startExporter({ databasePath: path });

describe('a user who may not write the folder of the memory', () => {
  const startBound = (memory: TestMemory): Promise<RunningExporter> => {
    const folder = dirname(memory.path);
    chmodSync(folder, 0o555);
    onTestFinished(() => chmodSync(folder, 0o755));
    return startExporter({ databasePath: memory.path, within: boundByPermissions() });
  };

  test.each<[string, (memory: TestMemory) => unknown, tasks: number]>([
    ['at rest', () => {}, 5],
    ['with a live writer', ({ path }) => startWriter(path, ADD_ONE), 6],
    ['whose writer was killed', async ({ path }) => (await startWriter(path, ADD_ONE))(), 6],
    ['with a rollback journal', (memory) => memory.write((db) => db.pragma('journal_mode = DELETE')), 5],
  ])('reads a memory %s', async (_, prepare, tasks) => {
    const memory = fiveRuns();
    await prepare(memory);
    expect(await stateOf(await startBound(memory))).toEqual(['up', tasks]);
  });

  test('is told when nobody allowed reading the file, and reads it once somebody does', async () => {
    const memory = fiveRuns();
    chmodSync(memory.path, 0o000);
    const exporter = await startBound(memory);
    expect(await stateOf(exporter)).toEqual([
      'down',
      expect.stringMatching(/may not read it.* Give user \d+ read access/),
    ]);
    chmodSync(memory.path, 0o444);
    expect(await stateOf(exporter)).toEqual(['up', 5]);
  });

  test('is told when a folder on the way is closed', async () => {
    const closed = join(tempDir(), 'closed');
    mkdirSync(join(closed, 'inner'), { recursive: true });
    const memory = fiveRuns(join(closed, 'inner', 'swarm_memory.db'));
    const exporter = await startBound(memory);
    chmodSync(closed, 0o000);
    onTestFinished(() => chmodSync(closed, 0o755));
    expect(await stateOf(exporter)).toEqual(['down', expect.stringContaining('may not read it')]);
  });
});

describe('a file that is no memory, or is one no more', () => {
  test.each<[string, (path: string) => void, RegExp]>([
    ['missing', (path) => rmSync(path), /Could not find .* Check SWARM_DB_PATH/],
    [
      'in a missing folder',
      (path) => rmSync(dirname(path), { recursive: true }),
      /Could not find .* Check SWARM_DB_PATH/,
    ],
    [
      'in a folder that is a file',
      (path) => replaceBy(dirname(path), (file) => writeFileSync(file, '')),
      /Could not find/,
    ],
    ['empty', (path) => truncateSync(path), /is empty \(0 bytes\)/],
    ['cut short', (path) => truncateSync(path, 20_000), /damaged or cut short .* Restore a backup/],
    ['cut inside its header', (path) => truncateSync(path, 50), /damaged or cut short .* Restore a backup/],
    ['a text', (path) => writeFileSync(path, 'no database '.repeat(1_000)), /not an SQLite database/],
    ['a folder', (path) => replaceBy(path, mkdirSync), /is a folder, not a file/],
    ['a pipe', (path) => replaceBy(path, (file) => execFileSync('mkfifo', [file])), /is a pipe, a socket or a device/],
    [
      'a database of something else',
      (path) => replaceBy(path, makeOtherDatabase),
      /swarm memory "[^"?:]*\/swarm_memory\.db": it has no table swarm_events/,
    ],
  ])('%s: up 0, no figures, the reason on /readyz; and all is well once it is back', async (_, spoil, reason) => {
    const memory = fiveRuns();
    const copy = join(tempDir(), 'copy.db');
    copyFileSync(memory.path, copy);
    spoil(memory.path);
    const exporter = await start(memory);
    expect(await stateOf(exporter)).toEqual(['down', expect.stringMatching(reason)]);
    const series = [...(await exporter.samples()).keys()].map((each) => each.replace(/\{.*/, ''));
    expect(new Set(series)).toEqual(
      new Set([
        'swarm_up',
        'swarm_scrape_duration_seconds',
        'swarm_collector_success',
        'swarm_collector_duration_seconds',
        'swarm_build_info',
      ]),
    );
    expect((await exporter.get('/metrics')).status).toBe(200);
    rmSync(dirname(memory.path), { recursive: true, force: true });
    mkdirSync(dirname(memory.path));
    renameSync(copy, memory.path);
    expect(await stateOf(exporter)).toEqual(['up', 5]);
  });

  test('it is read as soon as it first appears, and the exporter never makes it itself', async () => {
    const path = join(tempDir(), 'later.db');
    const exporter = await startExporter({ databasePath: path });
    expect((await stateOf(exporter))[0]).toBe('down');
    expect(existsSync(path)).toBe(false);
    fiveRuns(path);
    expect(await stateOf(exporter)).toEqual(['up', 5]);
  });

  test('another file that takes its place by rename is read, with figures that may be lower', async () => {
    const memory = fiveRuns();
    const exporter = await start(memory);
    expect(await stateOf(exporter)).toEqual(['up', 5]);
    const other = makeMemory();
    addOne(other);
    renameSync(other.path, memory.path);
    expect(await stateOf(exporter)).toEqual(['up', 1]);
  });
});

describe('reading leaves no trace', () => {
  test.each(['WAL', 'DELETE'])('in a folder it may write, in journal mode %s', async (mode) => {
    const memory = fiveRuns();
    memory.write((db) => db.pragma(`journal_mode = ${mode}`));
    const exporter = await start(memory);
    for (let scrape = 0; scrape < 3; scrape += 1) {
      addOne(memory);
      await exporter.samples();
    }
    expect(await stateOf(exporter)).toEqual(['up', 8]);
    await exporter.end();
    expect(readdirSync(dirname(memory.path))).toEqual(['swarm_memory.db']);
  });
});

describe('a path may hold', () => {
  test.each([
    ['blanks', 'my swarm memory.db'],
    ['a blank at the end', 'swarm_memory.db '],
    ['a number sign', 'swarm#1.db'],
    ['a question mark', 'swarm?mode=ro.db'],
    ['percent signs', '100%25%.db'],
    ['quotes', `it's "mine".db`],
    ['a backslash', 'C:\\134swarm.db'],
    ['a line break', 'two\nlines.db'],
    ['letters beyond ASCII', 'memòria 🐝.db'],
    ['the look of a URI', 'file:swarm.db'],
    ['a name SQLite knows', ':memory:'],
  ])('%s, whether the memory is at rest or has a -wal', async (_, name) => {
    const folder = join(tempDir(), name);
    mkdirSync(folder);
    const path = join(folder, name);
    renameSync(fiveRuns().path, path);
    const exporter = await startExporter({ databasePath: path });
    expect(await stateOf(exporter)).toEqual(['up', 5]);
    const other = fiveRuns();
    await (await startWriter(other.path, ADD_ONE))();
    for (const suffix of ['-shm', '-wal', '']) renameSync(other.path + suffix, path + suffix);
    expect(await stateOf(exporter)).toEqual(['up', 6]);
  });
});

function replaceBy(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true });
  make(path);
}

function makeOtherDatabase(path: string): void {
  new Database(path).exec('CREATE TABLE customers (name TEXT)').close();
}
