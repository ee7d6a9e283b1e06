import type { LessonRow } from '../../lib/memory/lesson-rows.ts';
import type { TaskEventRow } from '../../lib/memory/task-rows.ts';
import { localTime } from '../local-time.ts';
import { oneLine } from '../queue/describe-task.ts';

const LONGEST_LINE = 160;
const LONGEST_TEXT = 500;

/** A lesson as commands print it as JSON; moments are ISO 8601 in UTC, null is what nobody wrote. */
export function describeLesson(lesson: LessonRow) {
  const { id, writtenMs, context, problem, solution, pattern, severity, status, timesApplied, lastAppliedMs } = lesson;
  return {
    id: id ?? null,
    written: iso(writtenMs),
    status: status ?? null,
    severity: severity ?? null,
    timesApplied,
    lastApplied: iso(lastAppliedMs),
    context: context ?? null,
    problem: problem ?? null,
    solution: solution ?? null,
    pattern: pattern ?? null,
  };
}

/** A task that was found, likewise; its texts are cut. */
export function describeFoundTask({
  id,
  taskId,
  atMs,
  agent,
  project,
  outcome,
  durationMs,
  error,
  prompt,
}: TaskEventRow) {
  return {
    id: taskId ?? id ?? null,
    ended: iso(atMs),
    agent: agent ?? null,
    project: project ?? null,
    outcome,
    durationSeconds: durationMs === undefined ? null : durationMs / 1_000,
    error: error?.slice(0, LONGEST_TEXT) ?? null,
    prompt: prompt?.slice(0, LONGEST_TEXT) ?? null,
  };
}

/** A lesson as a line: since when, how often applied, how grave, and what it says. */
export function lessonLine(lesson: LessonRow, timezone: string): string {
  const { problem, context, pattern, solution, severity, status, timesApplied } = lesson;
  const said = [problem ?? context ?? pattern ?? '–', ...(solution === undefined ? [] : [solution])].join(' → ');
  const kind = [status?.toLowerCase(), severity?.toLowerCase()].filter(Boolean).join(' ');
  return `${day(lesson.writtenMs, timezone)}  lesson  ${kind}, applied ${timesApplied}×: ${oneLine(said, LONGEST_LINE)}`;
}

/** A task that was found as a line: when, how it ended, who, where, what, and the error. */
export function foundTaskLine(task: TaskEventRow, timezone: string): string {
  const { atMs, outcome, agent = 'unknown', project = 'unknown', prompt = '–', error, taskId, id } = task;
  const what = oneLine(error === undefined ? prompt : `${prompt} [${error}]`, LONGEST_LINE);
  const name = oneLine(`${agent} ${project} ${taskId ?? id ?? ''}`, LONGEST_LINE);
  return `${day(atMs, timezone)}  ${outcome}  ${name}: ${what}`;
}

function day(ms: number | undefined, timezone: string): string {
  return ms === undefined ? '          ' : localTime(ms, timezone).day;
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
