import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EndResult } from '../../../lib/queue/result.ts';
import { MemoryBusyError, MemoryUnavailableError } from '../../../orchestrator/recorder/memory-unavailable.ts';
import { openMemoryWriter } from '../../../orchestrator/recorder/memory-writer.ts';
import { makeMemory, type TestMemory, tempDir } from '../../support/memory-builder.ts';
import { boundByPermissions, findProgram, IS_ROOT } from '../../support/programs.ts';
import { startRecorder } from '../../support/recorder-process.ts';
import { endResult, manyEnds } from '../../support/result-values.ts';
import { startWriter } from '../../support/writer-process.ts';

const BUSY_TIMEOUT_MS = 20;
const ADD_ONE = `INSERT INTO swarm_events (id, timestamp, event_type) VALUES (hex(randomblob(8)), '', 'task_success')`;
const taskIds = (path: string): unknown[] => {
  const db = new Database(path);
  try {
    return db.prepare('SELECT task_id FROM swarm_events ORDER BY rowid').pluck().all();
  } finally {
    db.close();
  }
};
const writerOf = ({ path }: { readonly path: string }) => openMemoryWriter({ path, busyTimeoutMs: BUSY_TIMEOUT_MS });

/** What a writing throws, as a person reads it. */
function failureOf(work: () => unknown): MemoryUnavailableError & { readonly text: string } {
  try {
    work();
  } catch (error) {
    if (!(error instanceof MemoryUnavailableError)) throw error;
    return Object.assign(error, { text: `${error.message} ${error.hint}` });
  }
  throw new Error('It was written.');
}

describe('a file that is no memory is refused and left as it is:', () => {
  test.each<[string, (path: string) => void, RegExp]>([
    ['an empty one', (path) => writeFileSync(path, ''), /is empty \(0 bytes\)/],
    ['a text', (path) => writeFileSync(path, 'not a database, whatever it is called\n'.repeat(200)), /not an SQLite/],
    ['a short text', (path) => writeFileSync(path, 'hello'), /not an SQLite database.* Check SWARM_DB_PATH/],
    ['a database without tables', (path) => makeDatabase(path, 'PRAGMA user_version = 1'), /no table swarm_events/],
    ['another database', (path) => makeDatabase(path, 'CREATE TABLE other (a)'), /has no table swarm_events/],
    [
      'another database in WAL mode',
      (path) => makeDatabase(path, 'PRAGMA journal_mode = WAL; CREATE TABLE other (a)'),
      /has no table swarm_events/,
    ],
    [
      'one whose swarm_events is a view',
      (path) => makeDatabase(path, "CREATE VIEW swarm_events AS SELECT '' AS id, '' AS timestamp, '' AS event_type"),
      /has no table swarm_events/,
    ],
    [
      'one whose events have no id',
      (path) => makeDatabase(path, 'CREATE TABLE swarm_events (timestamp TEXT, event_type TEXT)'),
      /swarm_events has no column id/,
    ],
    [
      'one whose task_usage is not ours',
      (path) => makeMemory({ path }).write((db) => db.exec('CREATE TABLE task_usage (task_id, model, total)')),
      /task_usage has no column attempt, ended_at, .* Give that table another name/,
    ],
    [
      'one cut short',
      (path) => {
        makeMemory({ path, journalMode: 'DELETE' }).write((db) => db.exec('CREATE TABLE more (a)'));
        truncateSync(path, 8_192);
      },
      /is damaged.* Restore a backup/,
    ],
  ])('%s', (_, make, message) => {
    const path = join(tempDir(), 'swarm_memory.db');
    make(path);
    const before = readFileSync(path);
    const failure = failureOf(() => writerOf({ path }).write([endResult()]));
    expect(failure.text).toMatch(message);
    expect(failure).not.toBeInstanceOf(MemoryBusyError);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(['swarm_memory.db']);
  });

  test('a folder', () => {
    const path = tempDir();
    expect(failureOf(() => writerOf({ path }).write([endResult()])).text).toMatch(/it is a folder/);
  });
});

describe('a memory that is not there', () => {
  test('is never created, neither the file nor its folder', () => {
    const folder = tempDir();
    for (const path of [join(folder, 'swarm_memory.db'), join(folder, 'missing', 'swarm_memory.db')]) {
      expect(failureOf(() => writerOf({ path }).write([endResult()])).text).toMatch(/Could not find .*SWARM_DB_PATH/);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is written as soon as it is there, by the same writer', () => {
    const path = join(tempDir(), 'swarm_memory.db');
    const writer = writerOf({ path });
    failureOf(() => writer.write([endResult()]));
    makeMemory({ path });
    expect(writer.write([endResult()]).written).toBe(1);
    expect(taskIds(path)).toEqual(['task-1']);
  });

  test('is missed when it vanishes between two writings', () => {
    const { path } = makeMemory();
    const writer = writerOf({ path });
    writer.write([endResult()]);
    rmSync(path);
    expect(failureOf(() => writer.write([endResult()])).message).toMatch(/Could not find/);
    expect(existsSync(path)).toBe(false);
  });
});

describe('a memory that is replaced while we run', () => {
  test.each(['WAL', 'DELETE'])('is written in the new file from then on (%s)', (journalMode) => {
    const { path } = makeMemory({ journalMode });
    const other = makeMemory({ journalMode });
    const writer = writerOf({ path });
    writer.write([endResult()]);
    renameSync(path, `${path}.old`);
    renameSync(other.path, path);
    writer.write([endResult({ taskId: 'task-2' })]);
    expect([taskIds(`${path}.old`), taskIds(path)]).toEqual([['task-1'], ['task-2']]);
  });

  test.each([
    ['WAL', false],
    ['WAL', true],
    ['DELETE', false],
    ['DELETE', true],
  ])(
    'and just while we write, counts as not written, and takes it when it is written again (%s, table of costs: %s)',
    (journalMode, hasUsage) => {
      const { path } = makeMemory({ journalMode, hasUsage });
      const other = makeMemory({ journalMode, hasUsage });
      const replacing: EndResult = {
        ...endResult(),
        get agent() {
          if (existsSync(other.path)) renameSync(other.path, path);
          return 'cervella-docs';
        },
      };
      const writer = writerOf({ path });
      const failure = failureOf(() => writer.write([replacing]));
      expect(failure).toBeInstanceOf(MemoryBusyError);
      expect(failure.text).toMatch(/another file took its place meanwhile/);
      expect(writer.write([replacing]).written).toBe(1);
      expect(taskIds(path)).toEqual(['task-1']);
    },
  );

  test('is found behind a link', () => {
    const memory = makeMemory();
    const path = join(tempDir(), 'link.db');
    symlinkSync(memory.path, path);
    expect(writerOf({ path }).write([endResult()]).written).toBe(1);
    expect(taskIds(memory.path)).toEqual(['task-1']);
    expect(readdirSync(dirname(path))).toEqual(['link.db']);
  });
});

describe('a memory that another process holds', () => {
  test.each([
    ['WAL', 'that writes', `BEGIN IMMEDIATE; ${ADD_ONE}`],
    ['WAL', 'in exclusive mode', `PRAGMA locking_mode = EXCLUSIVE; ${ADD_ONE}`],
    ['DELETE', 'that writes', `BEGIN IMMEDIATE; ${ADD_ONE}`],
    ['DELETE', 'exclusively', 'BEGIN EXCLUSIVE'],
    ['DELETE', 'that reads', 'BEGIN; SELECT * FROM swarm_events'],
  ])('in journal mode %s, one %s, is busy and takes all once it is let go', async (journalMode, _, sql) => {
    const memory = makeMemory({ journalMode });
    const writer = writerOf(memory);
    writer.write([]);
    memory.write((db) => db.exec(ADD_ONE));
    const letGo = await startWriter(memory.path, sql);
    const failure = failureOf(() => writer.write(manyEnds(3)));
    expect(failure).toBeInstanceOf(MemoryBusyError);
    expect(failure.text).toMatch(/another program holds it locked\. Find it with/);
    await letGo();
    expect(writer.write(manyEnds(3))).toEqual({ written: 3, refused: [] });
    expect(taskIds(memory.path).filter((id) => id !== null)).toEqual(['task-1', 'task-2', 'task-3']);
  });

  test('to write is busy for somebody who only asks as well', async () => {
    const memory = makeMemory({ hasUsage: true });
    await startWriter(memory.path, `BEGIN IMMEDIATE; ${ADD_ONE}`);
    expect(failureOf(() => writerOf(memory).write([]))).toBeInstanceOf(MemoryBusyError);
  });

  test.each([
    ['has it open', ADD_ONE],
    ['reads it', `${ADD_ONE}; BEGIN; SELECT * FROM swarm_events`],
  ])('and only %s, in WAL mode, is written all the same', async (_, sql) => {
    const memory = makeMemory();
    const letGo = await startWriter(memory.path, sql);
    expect(writerOf(memory).write(manyEnds(3)).written).toBe(3);
    await letGo();
    expect(taskIds(memory.path)).toHaveLength(4);
  });

  test('or held when it was killed, is put right and written', async () => {
    const memory = makeMemory({ journalMode: 'DELETE' });
    const kill = await startWriter(memory.path, `PRAGMA cache_size = 1; BEGIN IMMEDIATE; ${ADD_ONE}; ${MANY_ROWS}`);
    await kill();
    expect(existsSync(`${memory.path}-journal`)).toBe(true);
    expect(writerOf(memory).write([endResult()]).written).toBe(1);
    expect(taskIds(memory.path)).toEqual(['task-1']);
  });
});

/** More than the cache holds, so that pages reach the file before the commit. */
const MANY_ROWS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
  INSERT INTO swarm_events (id, timestamp, event_type) SELECT hex(randomblob(40)), i, 'session_end' FROM n`;

describe('a user who may not write', () => {
  test.each<[string, string, (memory: TestMemory) => void]>([
    ['the folder', 'WAL', ({ path }) => chmodSync(dirname(path), 0o555)],
    ['the folder', 'DELETE', ({ path }) => chmodSync(dirname(path), 0o555)],
    ['the file', 'WAL', ({ path }) => chmodSync(path, 0o444)],
    ['the file', 'DELETE', ({ path }) => chmodSync(path, 0o444)],
  ])('%s (%s) is told what to do, and writes once it is done', async (_, journalMode, forbid) => {
    const memory = makeMemory({ journalMode });
    const folder = dirname(memory.path);
    const allow = (): void => {
      chmodSync(folder, 0o755);
      chmodSync(memory.path, 0o644);
    };
    const recorder = await startRecorder(memory.path, boundByPermissions());
    const before = readFileSync(memory.path);
    forbid(memory);
    onTestFinished(allow);
    expect(await recorder.write([endResult()])).toEqual({
      error: 'MemoryUnavailableError',
      message: expect.stringMatching(/this user may not write there\. Give user \d+ write access to the file and/),
    });
    allow();
    expect(readFileSync(memory.path).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(['swarm_memory.db']);
    expect(await recorder.write([endResult()])).toEqual({ written: 1, refused: [] });
    expect(taskIds(memory.path)).toEqual(['task-1']);
  });
});

describe.skipIf(!IS_ROOT)('behind a real mount (skipped unless run as root, who alone may mount)', () => {
  test.each(['WAL', 'DELETE'])(
    'a full disk takes nothing of a batch, and all of it once there is space (%s)',
    async (journalMode) => {
      const outside = makeMemory({ journalMode, hasUsage: true });
      const disk = join(tempDir(), 'disk');
      mkdirSync(disk);
      findProgram('mount');
      const script = 'mount -t tmpfs -o size=2m swarm-test "$1" && cp "$0" "$1" && shift && exec "$@"';
      const path = join(disk, 'swarm_memory.db');
      const recorder = await startRecorder(path, [
        findProgram('unshare'),
        '-m',
        'sh',
        '-ec',
        script,
        outside.path,
        disk,
      ]);
      // The disk as the process sees it.
      const inside = `/proc/${recorder.pid}/root${disk}`;
      const copyOut = (): string => {
        const copy = join(tempDir(), 'copy.db');
        copyFileSync(`${inside}/swarm_memory.db`, copy);
        return copy;
      };
      fillDisk(`${inside}/filler`);
      const batch = manyEnds(20, { prompt: 'p'.repeat(10_000) });
      expect(await recorder.write(batch)).toEqual({
        error: 'MemoryUnavailableError',
        message: expect.stringMatching(/its disk is full\. Free some space there/),
      });
      expect(taskIds(copyOut())).toEqual([]);
      rmSync(`${inside}/filler`);
      expect(await recorder.write(batch)).toEqual({ written: 20, refused: [] });
      expect(taskIds(copyOut())).toHaveLength(20);
      expect(readdirSync(inside)).toEqual(['swarm_memory.db']);
    },
  );

  test('a memory mounted by itself is refused: what is written there is seen by nobody', async () => {
    const memory = makeMemory();
    const path = join(tempDir(), 'swarm_memory.db');
    writeFileSync(path, '');
    findProgram('mount');
    const script = 'mount --bind "$0" "$1" && shift && exec "$@"';
    const recorder = await startRecorder(path, [findProgram('unshare'), '-m', 'sh', '-ec', script, memory.path, path]);
    expect(await recorder.write([endResult()])).toEqual({
      error: 'MemoryUnavailableError',
      message: expect.stringMatching(/the file itself is mounted.* Mount its folder/),
    });
    expect(taskIds(memory.path)).toEqual([]);
  });
});

/** Writes until there is no space left. */
function fillDisk(path: string): void {
  expect(() => writeFileSync(path, Buffer.alloc(4 * 1024 * 1024))).toThrow(/ENOSPC/);
}

function makeDatabase(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}
