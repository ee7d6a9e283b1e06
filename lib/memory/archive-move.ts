import { accessSync, constants, copyFileSync, existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { OperatorError } from '../errors.ts';
import { archivePath, listArchives } from './archive-files.ts';
import { type EventRow, prepareEventRows } from './event-rows.ts';
import { lookAtFiles } from './files.ts';
import { giveToOwner, putWhole } from './replace.ts';
import { probeSchema } from './schema.ts';
import { readMemory } from './source.ts';
import { createTimestampParser } from './timestamps.ts';

/*
 * Events are moved in two steps: copied into the file of their year, which is written anew and takes the place of the old one
 * in one rename, and only then deleted, those that are there exactly as they are here. Whoever dies between leaves rows in
 * both, which count once; the next move finds them copied and deletes them. Only the oldest rows are moved, up to the first
 * that is too young, so that archives and memory together have all rows in the order they always had.
 */

/** What is moved out of a memory. */
export interface Moving {
  readonly path: string;
  readonly timezone: string;
  readonly nowMs: number;
  /** Events before this moment are moved. */
  readonly beforeMs: number;
}

/** Rows one after another that go into the archive of one year. */
interface Segment {
  readonly year: number;
  readonly fromRowid: number;
  readonly toRowid: number;
}

const BATCH_ROWS = 1_000;
/** Rows deleted in one transaction: a writer waits as long as that takes. */
const DELETED_AT_ONCE = 200;
/** Batches of one call, some seconds of work: between calls somebody looks whether we still may. */
const BATCHES_AT_ONCE = 20;
/** In a thread of its own nobody else waits. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Makes sure, before anything is begun, that events can be moved out of a memory.
 * @throws OperatorError if it or its folder cannot be written, MemoryError if it is not there.
 */
export function assertWritable(memoryPath: string): void {
  const { path } = lookAtFiles(memoryPath);
  try {
    for (const each of [dirname(path), path]) accessSync(each, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `Could not move old events out of "${path}": it cannot be written here (${code}).`,
      code === 'EROFS'
        ? 'It is mounted read-only, as in the container of the scheduler: have the orchestrator do it, see "Old events" in docs/deploy.md.'
        : 'Check who owns it and its folder.',
      { cause: error },
    );
  }
}

/**
 * Copies what is old enough into archives; gives the last rowid that was looked at, undefined if nothing is old enough.
 * @throws MemoryError or OperatorError if the memory cannot be read or its folder not be written; nothing has changed then.
 */
export async function copyOldEvents(moving: Moving): Promise<number | undefined> {
  const segments = await findSegments(moving);
  for (const segment of segments) await copySegment(lookAtFiles(moving.path).path, segment);
  return segments.at(-1)?.toRowid;
}

/** The oldest rows, as far as they are old enough, by the years they go to. */
async function findSegments({ path, timezone, nowMs, beforeMs }: Moving): Promise<readonly Segment[]> {
  const parser = createTimestampParser(timezone);
  return await readMemory(path, ({ db, archives }) => {
    const readRows = prepareEventRows(db, { schema: probeSchema(db), parser, nowMs, detailsAfterMs: 0 });
    const segments: Segment[] = [];
    for (const { rowid, timeMs } of oldRows(readRows, beforeMs)) {
      const last = segments.at(-1);
      if (timeMs === undefined && last === undefined) continue;
      // Never into an older file than the rows before: then file after file is row after row.
      const newest = last?.year ?? archives.at(-1)?.year ?? 0;
      const year = timeMs === undefined ? newest : Math.max(newest, new Date(timeMs).getUTCFullYear());
      if (last?.year === year) segments[segments.length - 1] = { ...last, toRowid: rowid };
      else segments.push({ year, fromRowid: last ? last.toRowid + 1 : Number.MIN_SAFE_INTEGER, toRowid: rowid });
    }
    return segments;
  });
}

/** Rows in their order, up to the first that is too young or has no id: nobody could tell that such a one is in both. */
function* oldRows(readRows: ReturnType<typeof prepareEventRows>, beforeMs: number): Generator<EventRow> {
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = readRows(after, BATCH_ROWS);
    for (const row of rows) {
      if (row.id === undefined || (row.timeMs ?? 0) >= beforeMs) return;
      yield row;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH_ROWS) return;
    after = last.rowid;
  }
}

async function copySegment(path: string, segment: Segment): Promise<void> {
  const to = archivePath(path, segment.year);
  const temporary = join(dirname(path), `.archive-${segment.year}.tmp`);
  for (const ending of ['', '-journal']) rmSync(`${temporary}${ending}`, { force: true });
  try {
    if (existsSync(to)) copyFileSync(to, temporary);
    fill(temporary, path, segment);
    giveToOwner(path, temporary);
    putWhole(temporary, to);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function fill(temporary: string, path: string, { year, fromRowid, toRowid }: Segment): void {
  const db = new Database(pathToFileURL(temporary).href, { timeout: BUSY_TIMEOUT_MS });
  try {
    // A file that is not whole is thrown away: no journal need lie beside it.
    db.pragma('journal_mode = MEMORY');
    db.prepare('ATTACH ? AS memory').run(pathToFileURL(path).href);
    const others = listArchives(path).filter((archive) => archive.year !== year);
    for (const other of others) {
      db.prepare(`ATTACH ? AS archive_${other.year}`).run(`${pathToFileURL(other.path).href}?immutable=1`);
    }
    const places = ['main', ...others.map((other) => `archive_${other.year}`)];
    const copy = db.transaction(() => {
      const columns = makeTable(db);
      const isThere = places
        .map((each) => `EXISTS (SELECT 1 FROM ${each}.swarm_events AS a WHERE a.id = e.id)`)
        .join(' OR ');
      const highest = places.map((each) => `(SELECT coalesce(max(position), 0) FROM ${each}.swarm_events)`);
      const base = db
        .prepare(`SELECT max(0, ${highest.join(', ')})`)
        .pluck()
        .get() as number;
      const rows = 'memory.swarm_events AS e WHERE e.rowid BETWEEN @fromRowid AND @toRowid';
      db.prepare(
        `INSERT INTO main.swarm_events (position, ${columns.join(', ')})
         SELECT @base + row_number() OVER (ORDER BY e.rowid), ${columns.map((column) => `e.${column}`).join(', ')}
         FROM ${rows} AND NOT (${isThere}) ORDER BY e.rowid`,
      ).run({ base, fromRowid, toRowid });
      const missing = db
        .prepare(`SELECT count(*) FROM ${rows} AND NOT (${isThere})`)
        .pluck()
        .get({ fromRowid, toRowid });
      if (missing !== 0)
        throw new OperatorError(`Could not archive "${path}": ${missing} rows were not copied.`, RETRY);
    });
    copy();
    if (db.pragma('main.integrity_check(1)', { simple: true }) !== 'ok') {
      throw new OperatorError(`Could not archive "${path}": the copy is damaged.`, RETRY);
    }
  } finally {
    db.close();
  }
}

const RETRY = 'Nothing was moved. Look at the disk (dmesg, df), then do it again.';

/** The archive's table with the columns of the memory, those it has had so far included; gives the memory's columns. */
function makeTable(db: Database.Database): readonly string[] {
  const columnsOf = (place: string): readonly { name: string; type: string }[] =>
    db
      .prepare<[string], { name: string; type: string }>("SELECT name, type FROM pragma_table_info('swarm_events', ?)")
      .all(place);
  const columns = columnsOf('memory').map(({ name, type }) => ({ name: quote(name), type }));
  db.exec('CREATE TABLE IF NOT EXISTS main.swarm_events (position INTEGER PRIMARY KEY)');
  const known = new Set(columnsOf('main').map(({ name }) => quote(name).toLowerCase()));
  for (const { name, type } of columns) {
    if (!known.has(name.toLowerCase())) db.exec(`ALTER TABLE main.swarm_events ADD COLUMN ${name} ${quote(type)}`);
  }
  db.exec('CREATE UNIQUE INDEX IF NOT EXISTS main.events_by_id ON swarm_events (id)');
  return columns.map(({ name }) => name);
}

/**
 * Deletes events up to a rowid that an archive has exactly as they are here, some of them; gives how many, 0 when all are
 * gone.
 * @throws an SQLite error if the memory cannot be written: what is left counts once all the same.
 */
export function deleteArchivedEvents(memoryPath: string, upToRowid: number): number {
  const { path } = lookAtFiles(memoryPath);
  assertWritable(path);
  const db = new Database(pathToFileURL(path).href, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    db.pragma('synchronous = FULL');
    const columns = [...probeSchema(db).events].map(quote);
    let deleted = 0;
    for (const archive of listArchives(path)) {
      const name = `archive_${archive.year}`;
      db.prepare(`ATTACH ? AS ${name}`).run(`${pathToFileURL(archive.path).href}?immutable=1`);
      const isSame = columns.map((column) => `a.${column} IS e.${column}`).join(' AND ');
      const remove = db.prepare(
        `DELETE FROM main.swarm_events WHERE rowid IN (
           SELECT e.rowid FROM main.swarm_events AS e JOIN ${name}.swarm_events AS a ON a.id = e.id
           WHERE e.rowid <= ? AND ${isSame} ORDER BY e.rowid LIMIT ${DELETED_AT_ONCE})`,
      );
      for (let batch = 0; batch < BATCHES_AT_ONCE; batch += 1) {
        const { changes } = remove.run(upToRowid);
        deleted += changes;
        if (changes < DELETED_AT_ONCE) break;
      }
    }
    return deleted;
  } finally {
    db.close();
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
