import { type AgentEvent, namesOfDenied, parseEvent, type ResultEvent } from '../../orchestrator/runner/events.ts';
import { createLogClock, type Timed } from './log-clock.ts';
import type { Happening } from './timeline.ts';

type Line = Readonly<Record<string, unknown>>;

/** What a line of the log says. */
interface Said {
  readonly event: string;
  readonly detail: string;
  /** It has happened by the time of the line before it. */
  readonly isBefore?: boolean;
}

const MOST_HAPPENINGS = 300;
/** Of more than that, so many of the first stay; the rest are the last. */
const KEPT_OF_FIRST = 100;
const LONGEST_NAME = 100;
const LONGEST_TEXT = 300;
/** Of these, the same one after another is told once. */
const REPEATABLE: readonly string[] = ['tool', 'retry'];

/**
 * What matters in the log of a task's runs: sessions, tools by name, retries, limits and results, without what was written
 * or read. Of a line without a time it is that of the next line that has one, and of the begin of a session that of the line
 * before: tools are timed by their answers, and the rest stands beside our own lines on begin and end.
 */
export function readAgentLog(lines: readonly string[]): readonly Happening[] {
  const found: (Said & Timed & { times: number })[] = [];
  const clock = createLogClock();
  for (const text of lines) {
    const line = parseObject(text);
    if (!line) continue;
    clock.pass(line);
    for (const said of happeningsOf(line, text)) {
      const last = found.at(-1);
      if (last && isSame(last, said)) {
        last.times += 1;
        continue;
      }
      const each = { ...said, atMs: undefined, times: 1 };
      found.push(each);
      if (said.isBefore) clock.stampBefore(each);
      else clock.stamp(each);
    }
  }
  clock.end();
  return shorten(found).map(({ atMs, event, detail, times }) => ({
    atMs,
    event,
    detail: times > 1 ? `${detail} ×${times}` : detail,
  }));
}

function isSame(last: Said, next: Said): boolean {
  return last.event === next.event && last.detail === next.detail && REPEATABLE.includes(next.event);
}

function happeningsOf(line: Line, text: string): readonly Said[] {
  switch (line.type) {
    case 'swarm':
      return noteOf(line);
    case 'assistant':
      return toolsOf(line);
    case 'user':
      return [];
    default: {
      const event = parseEvent(text);
      const said = event && saidBy(event, line);
      return said ? [said] : [];
    }
  }
}

/** A line of our own. */
function noteOf({ event, pid, outcome, error }: Line): readonly Said[] {
  if (event === 'run started') return [{ event, detail: `process ${cut(pid)}` }];
  if (event === 'run ended') return [{ event, detail: [cut(outcome), cut(error)].filter(Boolean).join(': ') }];
  return [];
}

/** The names of the tools that a message asks for. */
function toolsOf({ message }: Line): readonly Said[] {
  const { content } = (message ?? {}) as Line;
  if (!Array.isArray(content)) return [];
  const blocks = content as readonly (Line | null)[];
  const tools = blocks.filter((block) => block?.type === 'tool_use');
  return tools.map((block) => ({ event: 'tool', detail: cut(block?.name, LONGEST_NAME) }));
}

function saidBy(event: AgentEvent, { model }: Line): Said | undefined {
  switch (event.kind) {
    case 'start': {
      const name = cut(model, LONGEST_NAME);
      return { event: 'session', detail: `${event.sessionId}${name ? `, model ${name}` : ''}`, isBefore: true };
    }
    case 'retry':
      return { event: 'retry', detail: `the model answered ${event.status ?? 'nothing'}` };
    case 'limit': {
      if (event.status !== 'rejected') return undefined;
      return { event: 'usage limit', detail: `reached${untilOf(event.resetsAtMs)}` };
    }
    case 'result':
      return { event: 'result', detail: describeResult(event) };
    default:
      return undefined;
  }
}

function describeResult({ subtype, isError, turns, totalCostUsd, denials, text, errors }: ResultEvent): string {
  // The command line calls it a success that it has been refused by the provider.
  const verdict = isError && subtype === 'success' ? 'error' : subtype;
  return [
    `${verdict}, ${turns} ${turns === 1 ? 'turn' : 'turns'}, ${totalCostUsd.toFixed(4)} USD for the session`,
    ...(denials.length > 0 ? [`refused: ${namesOfDenied(denials).join(', ')}`] : []),
    ...[text, ...errors].filter(Boolean).map((each) => cut(each)),
  ].join('; ');
}

function untilOf(resetsAtMs: number | undefined): string {
  const date = new Date(resetsAtMs ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? '' : `, until ${date.toISOString()}`;
}

function shorten<Each extends Said & Timed & { times: number }>(found: readonly Each[]) {
  if (found.length <= MOST_HAPPENINGS) return found;
  const left = found.length - MOST_HAPPENINGS;
  const [first, last] = [found.slice(0, KEPT_OF_FIRST), found.slice(KEPT_OF_FIRST + left)];
  return [...first, { atMs: first.at(-1)?.atMs, event: '…', detail: `${left} more are in the log`, times: 1 }, ...last];
}

function parseObject(text: string): Line | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

function cut(value: unknown, length = LONGEST_TEXT): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, length) : '';
}
