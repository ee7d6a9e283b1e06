import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pruneTaskLogs, readTaskLog } from '../../../orchestrator/runner/kept-logs.ts';
import { openTaskLog } from '../../../orchestrator/runner/task-log.ts';

const NOW_MS = Date.parse('2026-11-23T09:00:00Z');
const DAY_MS = 86_400_000;

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'task-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('lines are appended in order, over several openings, for the eyes of the owner alone', async () => {
  const folder = join(makeFolder(), 'made', 'for', 'it');
  for (const round of [1, 2]) {
    const log = openTaskLog({ folder, taskId: 'task-1' });
    for (let line = 0; line < 1_000; line += 1) log.write(`${round}-${line}`);
    log.note({ event: 'over', round });
    await log.close();
  }
  const lines = readFileSync(join(folder, 'task-1.jsonl'), 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(2_002);
  expect(lines[999]).toBe('1-999');
  expect(JSON.parse(lines[2_001])).toEqual({
    type: 'swarm',
    at: expect.stringMatching(/^\d.*Z$/),
    event: 'over',
    round: 2,
  });
  expect(statSync(join(folder, 'task-1.jsonl')).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('a full file becomes the one before, whose predecessor is gone', async () => {
  const folder = makeFolder();
  const log = openTaskLog({ folder, taskId: 'task-1', maxBytes: 100 });
  for (let line = 10; line < 60; line += 1) log.write(`line ${line}`);
  await log.close();
  expect(readdirSync(folder).toSorted()).toEqual(['task-1.jsonl', 'task-1.jsonl.1']);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100);
  const lines = await readTaskLog({ folder, taskId: 'task-1' });
  expect(lines.at(-1)).toBe('line 59');
  expect(lines[0]).toBe(`line ${60 - lines.length}`);
  expect(lines.length).toBeGreaterThan(12);
});

test('a line that is longer than a file may be has a file to itself', async () => {
  const folder = makeFolder();
  const log = openTaskLog({ folder, taskId: 'task-1', maxBytes: 10 });
  log.write('x'.repeat(50));
  await log.flush();
  expect(readdirSync(folder)).toEqual(['task-1.jsonl']);
  log.write('short');
  await log.close();
  expect(await readTaskLog({ folder, taskId: 'task-1' })).toEqual(['x'.repeat(50), 'short']);
});

test('of a very long line its length and its beginning are kept', async () => {
  const folder = makeFolder();
  const log = openTaskLog({ folder, taskId: 'task-1' });
  log.write('x'.repeat(2_000_000));
  await log.close();
  const [line] = await readTaskLog({ folder, taskId: 'task-1' });
  expect(JSON.parse(line)).toEqual({
    ...{ type: 'swarm', event: 'long line', characters: 2_000_000, begin: 'x'.repeat(1_000) },
  });
});

test('a full disk costs lines and nothing else', async () => {
  const folder = makeFolder();
  symlinkSync('/dev/full', join(folder, 'task-1.jsonl'));
  const log = openTaskLog({ folder, taskId: 'task-1' });
  log.write('one');
  log.write('two');
  await log.flush();
  expect(log.lost()).toEqual({ lines: 2, reason: 'ENOSPC' });
  rmSync(join(folder, 'task-1.jsonl'));
  mkdirSync(join(folder, 'task-1.jsonl'));
  log.write('three');
  await log.flush();
  expect(log.lost()).toEqual({ lines: 3, reason: 'ENOSPC' });
  rmSync(join(folder, 'task-1.jsonl'), { recursive: true });
  log.write('four');
  await log.close();
  expect(log.lost().lines).toBe(3);
  expect(await readTaskLog({ folder, taskId: 'task-1' })).toEqual(['four']);
});

test('a folder that cannot be made costs lines and nothing else', async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, 'file'), '');
  const log = openTaskLog({ folder: join(folder, 'file', 'logs'), taskId: 'task-1' });
  log.write('one');
  await log.close();
  expect(log.lost()).toEqual({ lines: 1, reason: 'ENOTDIR' });
});

test.each(['', '../up', 'a/b', 'a.b', 'x'.repeat(65), 'a\0'])('the id %j is refused', async (taskId) => {
  const folder = makeFolder();
  expect(() => openTaskLog({ folder, taskId })).toThrow('id is no file name');
  await expect(readTaskLog({ folder, taskId })).rejects.toThrow('id is no file name');
});

test('whole lines of the end are read, as many as fit', async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, 'task-1.jsonl.1'), 'one\ntwo\n');
  writeFileSync(join(folder, 'task-1.jsonl'), 'three\nfour\nfi');
  const read = (maxBytes?: number): Promise<readonly string[]> =>
    readTaskLog({ folder, taskId: 'task-1', ...(maxBytes === undefined ? {} : { maxBytes }) });
  expect(await read()).toEqual(['one', 'two', 'three', 'four', 'fi']);
  expect(await read(19)).toEqual(['two', 'three', 'four', 'fi']);
  expect(await read(13)).toEqual(['three', 'four', 'fi']);
  expect(await read(9)).toEqual(['four', 'fi']);
  expect(await readTaskLog({ folder, taskId: 'task-2' })).toEqual([]);
});

test('logs that are too old go, then the oldest until the rest is small enough, but none that is in use', async () => {
  const folder = makeFolder();
  const put = (name: string, bytes: number, ageDays: number): void => {
    writeFileSync(join(folder, name), 'x'.repeat(bytes));
    const at = new Date(NOW_MS - ageDays * DAY_MS);
    utimesSync(join(folder, name), at, at);
  };
  put('old.jsonl', 1, 31);
  put('old-in-use.jsonl', 10, 40);
  put('new.jsonl', 100, 0);
  put('new.jsonl.1', 100, 1);
  put('large.jsonl', 1_000, 2);
  put('small.jsonl', 100, 3);
  put('notes.txt', 5_000, 99);
  mkdirSync(join(folder, 'folder.jsonl'));
  const isInUse = (taskId: string): boolean => taskId === 'old-in-use';
  const limits = { folder, maxAgeMs: 30 * DAY_MS, maxTotalBytes: 500, isInUse, nowMs: NOW_MS };
  expect(await pruneTaskLogs(limits)).toEqual({ removed: 2, keptBytes: 310 });
  expect(readdirSync(folder).toSorted()).toEqual([
    'folder.jsonl',
    'new.jsonl',
    'new.jsonl.1',
    'notes.txt',
    'old-in-use.jsonl',
    'small.jsonl',
  ]);
  expect(await pruneTaskLogs({ ...limits, folder: join(folder, 'missing') })).toEqual({ removed: 0, keptBytes: 0 });
});
