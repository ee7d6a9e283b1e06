import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import type { AttachedArchive } from './archive-rows.ts';
import { FUTURE_TOLERANCE_MS } from './event-rows.ts';
import type { MemoryFiles } from './files.ts';
import { countRows, feedSlice, fullPass, type Proof, proofOf, type ReadingOptions } from './full-pass.ts';
import { fullPassInThread } from './full-pass-thread.ts';
import { type LessonFigures, readLessons } from './lessons.ts';
import { isLoading, MemoryError } from './memory-error.ts';
import { once } from './once.ts';
import { type MemorySchema, probeSchema } from './schema.ts';
import { type OpenMemory, type OpenMode, readMemory } from './source.ts';
import { type Clock, settleTally, systemClock, type Tally, type TallyContext } from './tally.ts';
import { carryFloors } from './task-counters.ts';
import { createTimestampParser } from './timestamps.ts';
import { CannotPairError } from './unpaired.ts';
import { createUsageFigures, feedUsage, hasUsage, readUsageRows, type UsageFigures } from './usage.ts';

/** A memory at one moment: its figures, and the open database inside the transaction they were read in. */
export interface MemoryView {
  readonly db: Database;
  readonly files: MemoryFiles;
  readonly archives: readonly AttachedArchive[];
  readonly mode: OpenMode;
  readonly schema: MemorySchema;
  readonly tally: Tally;
  readonly nowMs: number;
  /** Undefined if this memory has no lessons_learned table. */
  readonly lessons: () => LessonFigures | undefined;
  /** Undefined if this memory has no task_usage table. */
  readonly usage: () => UsageFigures | undefined;
}

/** Reads one memory again and again, each time only what is new. */
export interface MemoryReader {
  /**
   * Brings the figures up to date and gives them to `use`, which must only read and may run more than once.
   * @throws MemoryError saying why the memory cannot be read, or that its first pass is not over.
   */
  readonly read: <T>(use: (view: MemoryView) => T) => Promise<T>;
  /**
   * Waits for the first pass, however long it takes.
   * @throws MemoryError saying why the memory cannot be read.
   */
  readonly whenLoaded: () => Promise<void>;
  /** Whether the first pass is under way. */
  readonly isLoading: () => boolean;
  readonly close: () => void;
}

/** Why everything has to be read again. */
type Reason = 'first' | 'replaced' | 'archived' | 'rewritten' | 'rows vanished' | 'late row' | 'clock' | 'audit';

interface State {
  readonly tally: Tally;
  proof: Proof;
  schema: MemorySchema | undefined;
  usage: UsageFigures;
  /** The file's at the last full pass. */
  readonly signature: string;
  auditDueMs: number;
  countDueMs: number;
  /** Set when the tally may not be trusted any more. */
  doubt: Reason | undefined;
}

type Step<T> = { readonly value: T } | { readonly more: true } | { readonly redo: Reason; readonly rows: number };

/** Up to this many rows a full pass is done in slices on this thread: 0.2 s in all, and no thread to start. */
const THREAD_ABOVE_ROWS = 50_000;
/** Up to this many rows they are counted at every reading, which takes 1 ms. */
const COUNT_UP_TO_ROWS = 100_000;
/** A reading waits so long for a full pass before it says that it is loading. */
const WAIT_FOR_PASS_MS = 4_000;
/** Rows changed in place leave no trace but the file's: all is read again at most every minute, for 0.5 % of the time. */
const AUDIT_EVERY_MS = 60_000;
const AUDIT_SHARE = 200;
const COUNT_EVERY_MS = 10_000;
const AUDIT_DELAY_MS = 50;

/** A reader of the memory at `options.path`; nothing is opened before the first `read`. */
export function createMemoryReader(options: ReadingOptions, clock: Clock = systemClock): MemoryReader {
  return new IncrementalReader(options, clock);
}

class IncrementalReader implements MemoryReader {
  readonly #options: ReadingOptions;
  readonly #clock: Clock;
  readonly #parser;
  readonly #closed = new AbortController();
  #state: State | undefined;
  #running: Promise<void> | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #auditTimer: NodeJS.Timeout | undefined;
  #failure: MemoryError | undefined;
  #failures = 0;

  constructor(options: ReadingOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#parser = createTimestampParser(options.timezone);
  }

  /** Readings follow one another, so that none sees the figures half fed by another. */
  readonly read = <T>(use: (view: MemoryView) => T): Promise<T> => {
    const failuresBefore = this.#failures;
    const result = this.#queue.then(() => {
      // What made a reading fail while this one waited would make it wait just as long, and fail.
      if (this.#failure && this.#failures !== failuresBefore) throw this.#failure;
      return this.#read(use);
    });
    this.#queue = result.catch((error: unknown) => this.#noteFailure(error));
    return result;
  };

  readonly isLoading = (): boolean => this.#state === undefined && this.#running !== undefined;

  readonly whenLoaded = async (): Promise<void> => {
    for (;;) {
      try {
        return await this.read(() => {});
      } catch (error) {
        if (!isLoading(error)) throw error;
      }
    }
  };

  #noteFailure(error: unknown): void {
    if (!(error instanceof MemoryError) || error === this.#failure) return;
    this.#failure = error;
    this.#failures += 1;
  }

  readonly close = (): void => {
    clearTimeout(this.#auditTimer);
    this.#closed.abort();
  };

  async #read<T>(use: (view: MemoryView) => T): Promise<T> {
    let asItWas = false;
    for (;;) {
      const step: Step<T> = await readMemory(this.#options.path, (memory) => this.#step(memory, use, asItWas));
      if ('value' in step) {
        this.#scheduleAudit();
        return step.value;
      }
      if ('more' in step) await nextTurn();
      else asItWas = !(await this.#redo(step.redo, step.rows));
    }
  }

  /** One transaction: prove that what is known still holds, read what is new, and hand both out. */
  #step<T>(memory: OpenMemory, use: (view: MemoryView) => T, asItWas: boolean): Step<T> {
    const state = this.#state;
    const isSameFile = state?.proof.identity === memory.files.identity;
    const schema = probeSchema(memory.db, isSameFile ? state.schema : undefined);
    if (!state) return this.#redoStep(memory, 'first');
    const nowMs = this.#clock.nowMs();
    const context = {
      // A clock set back by less than the tolerance stands still until it has caught up.
      nowMs: nowMs < state.tally.nowMs - FUTURE_TOLERANCE_MS ? nowMs : Math.max(nowMs, state.tally.nowMs),
      monotonicMs: this.#clock.monotonicMs(),
      manualMinutes: this.#options.manualMinutes,
      seenUpToRowid: Number.NEGATIVE_INFINITY,
    };
    if (!asItWas) {
      const doubt = state.doubt ?? this.#findDoubt(memory, schema, state);
      if (doubt) return this.#redoStep(memory, doubt);
      const fed = this.#feed(memory, schema, state, context);
      if (fed) return fed;
    }
    state.schema = schema;
    settleTally(state.tally, context);
    return { value: use(this.#view(memory, schema, state, context.nowMs)) };
  }

  /** Reads the next slice of rows; undefined once there is nothing left to read and nothing to doubt. */
  #feed(memory: OpenMemory, schema: MemorySchema, state: State, context: TallyContext): Step<never> | undefined {
    const { tally } = state;
    const { cursor } = tally;
    let isLast: boolean;
    try {
      isLast = feedSlice(memory, schema, this.#parser, tally, context);
    } catch (error) {
      if (!(error instanceof CannotPairError)) throw error;
      state.doubt = 'late row';
      return this.#redoStep(memory, state.doubt);
    }
    if (tally.cursor !== cursor) state.proof = proofOf(memory, schema, tally.cursor);
    if (!isLast) return { more: true };
    if (tally.rows <= COUNT_UP_TO_ROWS && countRows(memory) !== tally.rows + tally.rowsInBoth) {
      state.doubt = 'rows vanished';
      return this.#redoStep(memory, state.doubt);
    }
    return undefined;
  }

  /** What can be told at once, whatever the size; deletions in the middle of a large table are found by the audit. */
  #findDoubt(memory: OpenMemory, schema: MemorySchema, state: State): Reason | undefined {
    const { tally, proof } = state;
    const nowMs = this.#clock.nowMs();
    const found = proofOf(memory, schema, tally.cursor);
    if (found.identity !== proof.identity) return 'replaced';
    if (found.archives !== proof.archives) return 'archived';
    if (found.cookie !== proof.cookie) return 'rewritten';
    if (tally.rows > 0 && found.firstRow !== proof.firstRow) return 'rows vanished';
    if (found.lastRow !== proof.lastRow) return 'rows vanished';
    if (nowMs < tally.nowMs - FUTURE_TOLERANCE_MS) return 'clock';
    return nowMs + FUTURE_TOLERANCE_MS >= tally.earliestFutureMs ? 'clock' : undefined;
  }

  #redoStep({ db, archives }: OpenMemory, redo: Reason): { readonly redo: Reason; readonly rows: number } {
    const span = (place: string, key: string): string =>
      `coalesce((SELECT max(${key}) FROM ${place}.swarm_events) - (SELECT min(${key}) FROM ${place}.swarm_events), 0)`;
    const spans = [span('main', 'rowid'), ...archives.map(({ name }) => span(name, 'position'))];
    return {
      redo,
      rows: db
        .prepare(`SELECT ${spans.join(' + ')}`)
        .pluck()
        .get() as number,
    };
  }

  /** True once everything has been read again; false if that takes long and the figures of before may stand meanwhile. */
  async #redo(reason: Reason, rows: number): Promise<boolean> {
    this.#running ??= this.#fullPass(reason, rows).finally(() => {
      this.#running = undefined;
    });
    const timeout = new AbortController();
    const late = sleep(WAIT_FOR_PASS_MS, 'late', { signal: timeout.signal, ref: false }).catch(() => 'late');
    const first = await Promise.race([this.#running, late]).finally(() => timeout.abort());
    if (first !== 'late') return true;
    if (this.#state && reason !== 'replaced') return false;
    throw new MemoryError(
      'loading',
      `Could not give figures of the swarm memory "${this.#options.path}" yet: its first reading is not over.`,
      'Wait: a million rows take a few seconds.',
    );
  }

  async #fullPass(reason: Reason, rows: number): Promise<void> {
    const before = this.#state;
    const seenUpToRowid = before?.tally.cursor ?? Number.NEGATIVE_INFINITY;
    const { tally, proof, durationMs } =
      rows > THREAD_ABOVE_ROWS
        ? await fullPassInThread(this.#options, seenUpToRowid, this.#closed.signal)
        : await fullPass(this.#options, this.#clock, seenUpToRowid);
    const haveVanished = reason === 'replaced' || reason === 'rows vanished' || tally.rows < (before?.tally.rows ?? 0);
    // Only where rows are gone may counters go down.
    if (before && !haveVanished) carryFloors(before.tally.tasks, tally.tasks);
    const nowMs = this.#clock.monotonicMs();
    this.#state = {
      tally,
      proof,
      schema: undefined,
      usage: createUsageFigures(tally.nowMs),
      signature: proof.signature,
      auditDueMs: nowMs + Math.max(AUDIT_EVERY_MS, durationMs * AUDIT_SHARE),
      countDueMs: nowMs + COUNT_EVERY_MS,
      doubt: undefined,
    };
  }

  #view(memory: OpenMemory, schema: MemorySchema, state: State, nowMs: number): MemoryView {
    const { db, files, archives, mode } = memory;
    return {
      db,
      files,
      archives,
      mode,
      schema,
      tally: state.tally,
      nowMs,
      lessons: once(() => readLessons(db, schema)),
      usage: once(() => (hasUsage(schema) ? this.#catchUpUsage(memory, state, nowMs) : undefined)),
    };
  }

  #catchUpUsage(memory: OpenMemory, state: State, nowMs: number): UsageFigures {
    const { rows, isFresh } = readUsageRows(memory.db, state.usage, nowMs);
    memory.assertUnchanged();
    if (isFresh) state.usage = createUsageFigures(nowMs);
    feedUsage(state.usage, rows, this.#parser, nowMs);
    return state.usage;
  }

  /** After the answer has gone out: look for what a reading cannot see. */
  #scheduleAudit(): void {
    if (this.#closed.signal.aborted) return;
    clearTimeout(this.#auditTimer);
    this.#auditTimer = setTimeout(() => void this.#audit().catch(() => {}), AUDIT_DELAY_MS).unref();
  }

  /** Counts the rows of a large table, and now and then reads all again: rows may have been changed in place. */
  async #audit(): Promise<void> {
    const state = this.#state;
    const nowMs = this.#clock.monotonicMs();
    if (!state || this.#running !== undefined || state.doubt) return;
    const isCountDue = state.tally.rows > COUNT_UP_TO_ROWS && nowMs >= state.countDueMs;
    const isAuditDue = nowMs >= state.auditDueMs;
    if (!isCountDue && !isAuditDue) return;
    if (isCountDue) state.countDueMs = nowMs + COUNT_EVERY_MS;
    if (isAuditDue) state.auditDueMs = nowMs + AUDIT_EVERY_MS;
    await this.read(({ db, files, archives, tally }) => {
      if (files.signature === state.signature) return;
      if (isCountDue && countRows({ db, archives }) !== tally.rows + tally.rowsInBoth) state.doubt = 'rows vanished';
      else if (isAuditDue) void this.#redo('audit', tally.rows).catch(() => {});
    });
  }
}
