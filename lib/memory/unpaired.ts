import { isPair, type Task } from './task.ts';

/** A task that may still change: it waits to be counted, or for its other row. */
export interface OpenTask {
  task: Task;
  isCounted: boolean;
  /** On the monotonic clock. */
  readonly seenMs: number;
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

const SLICE_MS = 2_000;
const SWEEP_EVERY_MS = 3_600_000;

/** No rows at all. */
export function createUnpaired(): Unpaired {
  return {
    byKey: new Map(),
    count: 0,
    forgottenUntilMs: Number.NEGATIVE_INFINITY,
    sweptUntilMs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * The earliest row, in order of rowid, that makes a pair with this one; it is taken out.
 * @throws CannotPairError if the row is so old that its other row may have been let go.
 */
export function takeMate(unpaired: Unpaired, task: Task): OpenTask | undefined {
  if (!task.mayPair || task.timeMs === undefined) return undefined;
  if (task.timeMs - SLICE_MS <= unpaired.forgottenUntilMs) throw new CannotPairError();
  const otherKind = task.kind === 'stop' ? 'task' : 'stop';
  const slice = Math.floor(task.timeMs / SLICE_MS);
  let best: OpenTask | undefined;
  for (let near = slice - 1; near <= slice + 1; near += 1) {
    const found = unpaired.byKey.get(keyOf(task, otherKind, near))?.find((open) => isPair(open.task, task));
    if (found && (!best || found.task.rowid < best.task.rowid)) best = found;
  }
  if (best) removeUnpaired(unpaired, best);
  return best;
}

/** Keeps a single row for a mate that may come. */
export function addUnpaired(unpaired: Unpaired, open: OpenTask): void {
  const { task } = open;
  if (!task.mayPair || task.timeMs === undefined) return;
  const key = keyOf(task, task.kind, Math.floor(task.timeMs / SLICE_MS));
  const list = unpaired.byKey.get(key);
  if (list) list.push(open);
  else unpaired.byKey.set(key, [open]);
  unpaired.count += 1;
}

/** Lets go of rows of `untilMs` and earlier. Walking through all of them is worth it only now and then. */
export function forgetUnpaired(unpaired: Unpaired, untilMs: number): void {
  if (untilMs < unpaired.sweptUntilMs + SWEEP_EVERY_MS) return;
  unpaired.sweptUntilMs = untilMs;
  for (const [key, list] of unpaired.byKey) {
    const kept = list.filter((open) => (open.task.timeMs ?? 0) > untilMs);
    if (kept.length === list.length) continue;
    unpaired.count -= list.length - kept.length;
    unpaired.forgottenUntilMs = untilMs;
    if (kept.length === 0) unpaired.byKey.delete(key);
    else unpaired.byKey.set(key, kept);
  }
}

function removeUnpaired(unpaired: Unpaired, open: OpenTask): void {
  const key = keyOf(open.task, open.task.kind, Math.floor((open.task.timeMs ?? 0) / SLICE_MS));
  const list = unpaired.byKey.get(key) ?? [];
  unpaired.count -= 1;
  if (list.length === 1) unpaired.byKey.delete(key);
  else list.splice(list.indexOf(open), 1);
}

/** Session, kind and slice of time in one number: 32 bits of the session's hash, 20 of the slice. Equal keys are only candidates. */
function keyOf(task: Task, kind: Task['kind'], slice: number): number {
  const session = task.sessionId ?? '';
  let hash = kind === 'stop' ? 0x811c9dc5 : 0x2f1b3a55;
  for (let index = 0; index < session.length; index += 1)
    hash = Math.imul(hash ^ session.charCodeAt(index), 0x01000193);
  return (hash >>> 0) * 2 ** 20 + (slice & 0xfffff);
}
