import type { EventRow } from '../../lib/memory/event-rows.ts';
import { type Clock, createTally, feedTally, settleTally, type Tally } from '../../lib/memory/tally.ts';
import { endingKind, type Task, taskOfRow } from '../../lib/memory/task.ts';

/** A moment all tests of the memory agree on. */
export const NOW = Date.UTC(2026, 5, 15, 12);

export const MANUAL_MINUTES = { default: 30, byAgent: new Map([['cervella-docs', 45]]) };

/** A row as `readEventRows` gives it: a task row of session s1 that ended at NOW, unless told otherwise. */
export function rowValue(rowid: number, extra: Partial<EventRow> = {}): EventRow {
  return {
    rowid,
    timeMs: NOW,
    futureMs: undefined,
    eventType: 'task_complete',
    id: `row-${rowid}`,
    agentName: 'cervella-backend',
    sessionId: 's1',
    taskId: undefined,
    parentTaskId: undefined,
    taskStatus: 'completed',
    success: null,
    durationMs: undefined,
    errorMessage: undefined,
    project: 'demo',
    tags: undefined,
    agentRunId: undefined,
    ...extra,
  };
}

/** The task of a row that is known to end something. */
export function taskValue(rowid: number, extra: Partial<EventRow> = {}): Task {
  const row = rowValue(rowid, extra);
  const kind = endingKind(row.eventType);
  if (!kind) throw new Error(`"${row.eventType}" ends nothing`);
  return taskOfRow(row, kind);
}

/** A tally and the means to feed it at moments of its own. */
export function startTally(nowMs = NOW): {
  readonly tally: Tally;
  /** Feeds rows and settles, both at `atMs` on both clocks. */
  readonly feed: (rows: readonly EventRow[], atMs?: number) => Tally;
} {
  const tally = createTally(nowMs);
  return {
    tally,
    feed: (rows, atMs = nowMs) => {
      const context = { nowMs: atMs, monotonicMs: atMs, manualMinutes: MANUAL_MINUTES, seenUpToRowid: -1 };
      feedTally(tally, rows, context);
      settleTally(tally, context);
      return tally;
    },
  };
}

/** A clock that moves when told. */
export interface TestClock extends Clock {
  /** Time passes on both clocks. */
  readonly pass: (ms: number) => void;
  /** Somebody sets the wall clock. */
  readonly setTo: (nowMs: number) => void;
}

export function createTestClock(startMs = NOW): TestClock {
  let wallMs = startMs;
  let monotonicMs = 1_000_000;
  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    pass: (ms) => {
      wallMs += ms;
      monotonicMs += ms;
    },
    setTo: (nowMs) => {
      wallMs = nowMs;
    },
  };
}
