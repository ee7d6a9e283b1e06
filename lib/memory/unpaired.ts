import type { Start } from './started-tasks.ts';
import { isPair, type Task } from './task.ts';

/** A task that may still change: it waits to be counted, or for its other row. */
export interface OpenTask {
  task: Task;
  isCounted: boolean;
  /** When it has waited long enough to be counted, on the monotonic clock. */
  readonly dueMs: number;
  /** The start row its end took away, if any. */
  start: Start | undefined;
}

/** Single ending rows that may yet find their other row, by session and time. Plain data. */
export interface Unpaired {
  readonly byKey: Map<number, OpenTask[]>;
  count: number;
  /** Rows of this time and earlier have been let go: for a newcomer as old as that, nobody can say any more. */
  forgottenUntilMs: number;
  sweptUntilMs: number;
}

/** A newcomer may belong to a row that was let go: only a full pass that lets nothing go can tell. */
export class CannotPairError extends Error {}

/** Twice as long as the rows of a pair may be apart, so that a mate is in the same slice or in the nearer neighbour. */
const SLICE_MS = 4_000;
const SWEEP_EVERY_MS = 3_600_000;

/** No rows at all. */
export function createUnpaired(): Unpaired {
  const never = Number.NEGATIVE_INFINITY;
  return { byKey: new Map(), count: 0, forgottenUntilMs: never, sweptUntilMs: never };
}

/**
 * The earliest row, in order of rowid, that makes a pair with this one; it is taken out.
 * @throws CannotPairError if the row is so old that its other row may have been let go.
 */
export function takeMate(unpaired: Unpaired, task: Task): OpenTask | undefined {
  if (!task.mayPair || task.timeMs === undefined) return undefined;
  if (task.timeMs - SLICE_MS <= unpaired.forgottenUntilMs) throw new CannotPairError();
  const otherKind = task.kind === 'stop' ? 'task' : 'stop';
  const place = task.timeMs / SLICE_MS;
  const slice = Math.floor(place);
  const neighbour = place - slice < 0.5 ? slice - 1 : slice + 1;
  const near = findMate(unpaired, task, otherKind, slice);
  const far = findMate(unpaired, task, otherKind, neighbour);
  const mate = near && far ? (near.task.rowid < far.task.rowid ? near : far) : (near ?? far);
  if (mate) removeUnpaired(unpaired, mate);
  return mate;
}

/** Keeps a single row for a mate that may come. */
export function addUnpaired(unpaired: Unpaired, open: OpenTask): void {
  if (!open.task.mayPair) return;
  const key = keyOf(open.task, open.task.kind, sliceOf(open.task));
  const candidates = unpaired.byKey.get(key);
  if (candidates) candidates.push(open);
  else unpaired.byKey.set(key, [open]);
  unpaired.count += 1;
}

/** Lets go of rows of `untilMs` and earlier. Walking through all of them is worth it only now and then. */
export function forgetUnpaired(unpaired: Unpaired, untilMs: number): void {
  if (untilMs < unpaired.sweptUntilMs + SWEEP_EVERY_MS) return;
  unpaired.sweptUntilMs = untilMs;
  for (const [key, candidates] of unpaired.byKey) {
    const kept = candidates.filter((open) => (open.task.timeMs ?? 0) > untilMs);
    if (kept.length === candidates.length) continue;
    unpaired.forgottenUntilMs = untilMs;
    unpaired.count -= candidates.length - kept.length;
    if (kept.length === 0) unpaired.byKey.delete(key);
    else unpaired.byKey.set(key, kept);
  }
}

/** Candidates are in order of rowid. */
function findMate(unpaired: Unpaired, task: Task, kind: Task['kind'], slice: number): OpenTask | undefined {
  return unpaired.byKey.get(keyOf(task, kind, slice))?.find((open) => isPair(open.task, task));
}

function removeUnpaired(unpaired: Unpaired, open: OpenTask): void {
  const key = keyOf(open.task, open.task.kind, sliceOf(open.task));
  const candidates = unpaired.byKey.get(key) ?? [];
  unpaired.count -= 1;
  if (candidates.length === 1) unpaired.byKey.delete(key);
  else candidates.splice(candidates.indexOf(open), 1);
}

function sliceOf(task: Task): number {
  return Math.floor((task.timeMs ?? 0) / SLICE_MS);
}

/** Session, kind and slice of time mixed into 30 bits, which V8 keeps unboxed. Equal keys are only candidates. */
function keyOf(task: Task, kind: Task['kind'], slice: number): number {
  return ((task.sessionHash ^ Math.imul(slice, 0x9e3779b1)) & 0x1fffffff) * 2 + (kind === 'stop' ? 1 : 0);
}
