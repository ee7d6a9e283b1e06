import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { OperatorError } from '../../lib/errors.ts';
import { copyOldEvents, deleteArchivedEvents, type Moving } from '../../lib/memory/archive-move.ts';
import { copyMemory, copyOpenDatabase } from '../../lib/memory/backup-source.ts';
import { answerInThread, runInThread } from '../../lib/memory/thread.ts';
import { lookIntoMonitorDb } from '../monitor-db.ts';
import type { RowCounts } from './catalogue.ts';

type Order =
  | { readonly task: 'copy'; readonly isMonitorDb: boolean; readonly path: string; readonly destination: string }
  | { readonly task: 'inspect'; readonly path: string }
  | ({ readonly task: 'copy-old' } & Moving)
  | { readonly task: 'delete-archived'; readonly path: string; readonly upToRowid: number };

const THREAD = 'backup';
const LONGEST_FOUND = 200;

/**
 * Copies a database as it is at one moment, while others write to it.
 * @throws OperatorError saying why it cannot be read.
 */
export function copyDatabase(order: Omit<Order & { task: 'copy' }, 'task'>, signal?: AbortSignal): Promise<void> {
  return inThread<void>({ task: 'copy', ...order }, signal);
}

/**
 * Checks a copy that nobody writes to from end to end, and counts the rows of its tables. It leaves no file beside it.
 * @throws OperatorError if it is damaged or no database.
 */
export function inspectDatabase(path: string, signal?: AbortSignal): Promise<RowCounts> {
  return inThread<RowCounts>({ task: 'inspect', path }, signal);
}

/** Copies old events into archives; gives the last rowid looked at, undefined if nothing is old enough. */
export function copyOldEventsInThread(moving: Moving, signal?: AbortSignal): Promise<number | undefined> {
  return inThread<number | undefined>({ task: 'copy-old', ...moving }, signal);
}

/** Deletes some of the events that are in an archive; gives how many. */
export function deleteArchivedInThread(path: string, upToRowid: number, signal?: AbortSignal): Promise<number> {
  return inThread<number>({ task: 'delete-archived', path, upToRowid }, signal);
}

function inThread<T>(order: Order, signal: AbortSignal | undefined): Promise<T> {
  return runInThread<T>({
    module: new URL(`./database-thread${extname(import.meta.url)}`, import.meta.url),
    thread: THREAD,
    order,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function copy({ isMonitorDb, path, destination }: Order & { task: 'copy' }): Promise<void> {
  if (!isMonitorDb) return await copyMemory(path, destination);
  const db = lookIntoMonitorDb(path);
  if (db === undefined) {
    throw new OperatorError(`Could not find monitor.db "${path}".`, 'Check MONITOR_DB_PATH; the scheduler makes it.');
  }
  try {
    db.exec('BEGIN');
    await copyOpenDatabase(db, destination);
  } finally {
    db.close();
  }
}

function inspect(path: string): RowCounts {
  if (!existsSync(path)) throw damaged(path, 'there is no such file');
  const db = new Database(`${pathToFileURL(path).href}?immutable=1`, { readonly: true });
  try {
    const found = db.pragma('integrity_check(1)', { simple: true });
    if (found !== 'ok') throw damaged(path, String(found));
    const tables = db
      .prepare<[], string>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^'",
      )
      .pluck()
      .all();
    const count = (table: string): number =>
      db
        .prepare<[], number>(`SELECT count(*) FROM "${table.replaceAll('"', '""')}"`)
        .pluck()
        .get() ?? 0;
    return Object.fromEntries(tables.map((table) => [table, count(table)]));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (/^SQLITE_(CORRUPT|NOTADB|IOERR|CANTOPEN|ERROR)/.test(code)) throw damaged(path, `${message} (${code})`);
    throw error;
  } finally {
    db.close();
  }
}

function damaged(path: string, found: string): OperatorError {
  return new OperatorError(
    `Could not trust "${path}": ${found.replace(/\s+/g, ' ').slice(0, LONGEST_FOUND)}.`,
    'It is damaged: restore the last good backup.',
  );
}

function answer(order: Order): unknown {
  switch (order.task) {
    case 'copy':
      return copy(order);
    case 'inspect':
      return inspect(order.path);
    case 'copy-old':
      return copyOldEvents(order);
    case 'delete-archived':
      return deleteArchivedEvents(order.path, order.upToRowid);
  }
}

await answerInThread<Order>(THREAD, async (order) => await answer(order));
