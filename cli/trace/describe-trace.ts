import { alignColumns } from '../command.ts';
import { localTime } from '../local-time.ts';
import { oneLine } from '../queue/describe-task.ts';
import type { SourceReport, TaskFacts, TraceLine } from './timeline.ts';

/** A trace as it is printed. */
export interface Trace {
  readonly id: string;
  readonly task: TaskFacts;
  readonly events: readonly TraceLine[];
  /** Sources that told nothing, and why. */
  readonly missing: readonly { readonly source: SourceReport['source']; readonly reason: string }[];
}

const LONGEST = 300;
const SHOWN = new Set([
  ...['id', 'state', 'waitingFor', 'delayedUntil', 'agent', 'project'],
  ...['attempts', 'outcome', 'costUsd', 'error', 'branch', 'prompt'],
]);
const NO_TIME = '–';

/** A trace for people: who did what, then a line for each event under the day it happened on, in local time. */
export function describeTrace({ task, events, missing }: Trace, timezone: string): string[] {
  const rows = events.map(({ at, source, event, detail }) => {
    const { day, time } = at === null ? { day: '', time: NO_TIME } : localTime(Date.parse(at), timezone);
    return { day, cells: [time, source, oneLine(`${event}${detail ? `: ${detail}` : ''}`, LONGEST)] };
  });
  const untold = missing.map(({ source, reason }) => [NO_TIME, source, oneLine(reason, LONGEST)]);
  const lines = alignColumns([...rows.map(({ cells }) => cells), ...untold]);
  const lineUnderDay = (line: string, index: number): string[] => {
    const day = rows[index]?.day ?? '';
    const before = rows.slice(0, index).findLast((row) => row.day !== '')?.day;
    return day === '' || day === before ? [line] : [day, line];
  };
  return [...describeFacts(task), ...lines.flatMap(lineUnderDay)];
}

function describeFacts(task: TaskFacts): string[] {
  const known = Object.entries(task).filter(([name, value]) => SHOWN.has(name) && (value ?? '') !== '');
  return [...alignColumns(known.map(([name, value]) => [name, oneLine(String(value), LONGEST)])), ''];
}
