import type { Database } from 'better-sqlite3';
import { type FullPass, fullPass } from '../full-pass.ts';
import type { Kept } from '../kept.ts';
import { computeKpis, type Kpi } from '../kpis.ts';
import { type LessonRow, readLessonRows } from '../lesson-rows.ts';
import { readLessons } from '../lessons.ts';
import { probeSchema } from '../schema.ts';
import { type OpenMemory, readMemory } from '../source.ts';
import { type Clock, systemClock } from '../tally.ts';
import type { Task } from '../task.ts';
import { createTimestampParser } from '../timestamps.ts';
import type { ManualMinutes } from '../week-figures.ts';
import { DAY_MS } from '../windows.ts';
import { type AgentOfPeriod, agentsOf } from './agents.ts';
import { type DayOfPeriod, dailyOf } from './daily.ts';
import { type ErrorsOfPeriod, errorsOf } from './errors.ts';
import { countOutcomes, type Outcomes } from './outcomes.ts';
import { readSpending, type Spending } from './spending.ts';
import { type WorkOfPeriod, workOf } from './work.ts';

/** Which days of which memory. */
export interface PeriodOptions {
  readonly path: string;
  readonly timezone: string;
  readonly manualMinutes: ManualMinutes;
  readonly eurPerUsd: number;
  readonly infraCostEurMonth: number;
  /** The period is the `days` times 24 hours that end with this moment. */
  readonly untilMs: number;
  readonly days: number;
  /** False for a period long over: lessons say how they are now, and nobody wrote down how they were. */
  readonly hasLessons: boolean;
}

/** A long task, and the beginning of what was asked for. */
export interface LongTask {
  readonly agent: string;
  readonly project: string;
  readonly seconds: number;
  readonly outcome: Task['outcome'];
  readonly description: string | undefined;
}

/** Everything a retrospective wants to know of some days; text in it is from outside. */
export interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly days: number;
  readonly isDemo: boolean;
  /** When the last task of all ended, whether in the period or before. */
  readonly lastTaskMs: number | undefined;
  readonly kpis: readonly Kpi[];
  readonly outcomes: Outcomes;
  /** The same tasks by the day on the calendar. */
  readonly daily: readonly DayOfPeriod[];
  /** Of tasks from our queue alone: their end is always written down. */
  readonly queued: Outcomes;
  readonly agents: readonly AgentOfPeriod[];
  readonly errors: ErrorsOfPeriod;
  readonly work: WorkOfPeriod;
  readonly longest: readonly LongTask[];
  /** Undefined if this memory has no costs. */
  readonly spending: Spending | undefined;
  /** Undefined if this memory has no lessons. */
  readonly lessons: readonly LessonRow[] | undefined;
}

const LONGEST_TASKS = 5;
const LONGEST_DESCRIPTION = 500;

/**
 * Reads the figures of a period as they stood at its end: what was written about later moments is passed over. Its KPIs are
 * those of `computeKpis` at that moment.
 * @throws MemoryError saying why the memory cannot be read.
 */
export async function readPeriod(options: PeriodOptions): Promise<Period> {
  const { untilMs, days } = options;
  const clock: Clock = { nowMs: () => untilMs, monotonicMs: systemClock.monotonicMs };
  // Nothing is waited for: in the past a row that could still get its other half has got it.
  const pass = await fullPass({ ...options, past: { days } }, clock, Number.POSITIVE_INFINITY);
  const { kept } = pass.tally;
  if (!kept) throw new Error('a tally of the past keeps its tasks');
  return await readMemory(options.path, (memory) => describe(memory, { pass, kept, options }));
}

interface Reading {
  readonly pass: FullPass;
  readonly kept: Kept;
  readonly options: PeriodOptions;
}

function describe(memory: OpenMemory, { pass, kept, options }: Reading): Period {
  const { tally } = pass;
  const { db } = memory;
  const { untilMs, days, timezone, eurPerUsd, infraCostEurMonth } = options;
  const fromMs = untilMs - days * DAY_MS;
  const schema = probeSchema(db);
  const parser = createTimestampParser(timezone);
  const tasks = [...kept.tasks];
  const usage = readSpending({ db, schema, parser, tally, tasks, untilMs, days });
  const kpis = computeKpis({
    tally,
    schema,
    lessons: options.hasLessons ? readLessons(db, schema) : undefined,
    usage: usage?.figures,
    eurPerUsd,
    infraCostEurMonth,
  });
  const isAsRead = pass.proof.identity === memory.files.identity && pass.proof.cookie === schema.cookie;
  return {
    fromMs,
    untilMs,
    days,
    isDemo: schema.isDemo,
    lastTaskMs: tally.tasks.lastTaskMs,
    kpis,
    outcomes: countOutcomes(tasks),
    daily: dailyOf(tasks, { fromMs, untilMs, timezone }),
    queued: countOutcomes(tasks.filter(({ isQueued }) => isQueued)),
    agents: agentsOf(tasks, tally.week, usage?.spending),
    errors: errorsOf(kept, tally.errors),
    work: workOf(tasks, fromMs),
    longest: longestTasks(tasks).map((task) => describeTask(task, isAsRead ? db : undefined)),
    spending: usage?.spending,
    lessons: options.hasLessons && schema.lessons.size > 0 ? readLessonRows(db, schema, parser) : undefined,
  };
}

function longestTasks(tasks: readonly Task[]): readonly Task[] {
  return tasks
    .filter(({ durationMs }) => durationMs !== undefined)
    .sort((one, other) => (other.durationMs ?? 0) - (one.durationMs ?? 0) || one.rowid - other.rowid)
    .slice(0, LONGEST_TASKS);
}

/** Without the database it is not known: rows may have got other numbers since they were counted. */
function describeTask({ rowid, agent, project, durationMs = 0, outcome }: Task, db: Database | undefined): LongTask {
  const description = db && textOf(db, rowid);
  return { agent, project, seconds: durationMs / 1_000, outcome, description };
}

function textOf(db: Database, rowid: number): string | undefined {
  const sql = `SELECT substr(task_description, 1, ${LONGEST_DESCRIPTION}) FROM swarm_events WHERE rowid = ?`;
  const text: unknown = db.prepare(sql).pluck().get(rowid);
  return typeof text === 'string' && text.trim() !== '' ? text : undefined;
}
