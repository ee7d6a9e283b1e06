import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';
import type { MaintenanceTask } from './task.ts';

/** Something a person was asked to do. */
export interface ChecklistItem {
  /** As a button on the phone names it: the task and the day it was asked for. */
  readonly id: string;
  readonly task: MaintenanceTask;
}

/** Asks a person for each task, once a day at most. Within a transaction of the caller's. */
export function askFor(
  db: MonitorDb,
  tasks: readonly MaintenanceTask[],
  { day, nowMs }: { readonly day: string; readonly nowMs: number },
): readonly ChecklistItem[] {
  const add = db.prepare('INSERT OR IGNORE INTO maintenance_checklist (id, task, asked_at) VALUES (?, ?, ?)');
  return tasks.map((task) => {
    const id = `${task.id}.${day}`;
    add.run(id, task.id, utc(nowMs));
    return { id, task };
  });
}

/** Notes that somebody has done it; false if it was never asked for, or is done already. */
export function tickOff(
  db: MonitorDb,
  id: string,
  { by, nowMs }: { readonly by: string; readonly nowMs: number },
): boolean {
  const tick = db.prepare('UPDATE maintenance_checklist SET done_at = ?, done_by = ? WHERE id = ? AND done_at IS NULL');
  return tick.run(utc(nowMs), by, id).changes === 1;
}

/** Something that was asked for and is not done. */
export interface OpenItem {
  readonly id: string;
  /** When it was asked for, UTC milliseconds. */
  readonly askedMs: number;
}

/** What is not done, the oldest first. A task asked for again takes the place of its older self. */
export function readOpenItems(db: MonitorDb): readonly OpenItem[] {
  return db
    .prepare<[], { id: string; asked: string }>(
      `SELECT id, asked_at AS asked FROM maintenance_checklist AS item WHERE done_at IS NULL AND NOT EXISTS
         (SELECT 1 FROM maintenance_checklist AS newer WHERE newer.task = item.task AND newer.asked_at > item.asked_at)
       ORDER BY asked_at, id`,
    )
    .all()
    .map(({ id, asked }) => ({ id, askedMs: Date.parse(asked) }));
}
