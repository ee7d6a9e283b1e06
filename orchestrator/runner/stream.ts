import { type AgentEvent, type MessageEvent, parseEvent, type ResultEvent } from './events.ts';
import { createLineSplitter } from './line-splitter.ts';
import { type ModelUsage, sumByModel } from './model-usage.ts';

/** What a run has said so far. */
export interface Seen {
  /** It said which session it is: its work has begun and can be resumed. */
  readonly hasStarted: boolean;
  /** Events of any kind, also those nobody here knows. */
  readonly events: number;
  readonly sessionId: string | undefined;
  readonly retries: number;
  /** Retries because the provider was overloaded or had too many requests (529, 429). */
  readonly overloadedRetries: number;
  /** Why the last message is one of the command line's own; `undefined` if the model wrote it. */
  readonly apiError: string | undefined;
  /** The last word on a subscription's limit. */
  readonly limit: { readonly status: string; readonly resetsAtMs: number | undefined } | undefined;
  readonly result: ResultEvent | undefined;
  /** Summed from the messages, without costs: all there is for a run that is killed before its result. */
  readonly usage: readonly ModelUsage[];
  /** Messages of the main agent. */
  readonly turns: number;
  /** Lines that are no events, and what it wrote to standard error. */
  readonly plainText: string;
}

/** Reads a run's output as it comes. */
export interface StreamReader {
  readonly push: (chunk: Buffer) => void;
  readonly end: () => void;
  /** Adds what came by another way, such as standard error. */
  readonly addPlainText: (text: string) => void;
  readonly seen: () => Seen;
}

const MAX_LINE_BYTES = 10_000_000;
const MAX_PLAIN_TEXT = 64_000;
const MAX_MESSAGES = 10_000;
/** Of English text and of code, by and large. */
const CHARACTERS_PER_TOKEN = 4;
/** What the command line writes in the model's place. */
const NO_MODEL = '<synthetic>';

/** A reader for one run; `onLine` gets every line, `onEvent` every event, as they come. */
export function createStreamReader(listeners: {
  readonly onLine?: (line: string) => void;
  readonly onEvent?: (event: AgentEvent) => void;
}): StreamReader {
  const messages = new Map<string, MessageEvent>();
  let plainText = '';
  let seen: Omit<Seen, 'usage' | 'turns' | 'plainText'> = {
    hasStarted: false,
    events: 0,
    sessionId: undefined,
    retries: 0,
    overloadedRetries: 0,
    apiError: undefined,
    limit: undefined,
    result: undefined,
  };

  function addPlainText(text: string): void {
    if (plainText.length >= MAX_PLAIN_TEXT) return;
    plainText = (plainText + text).slice(0, MAX_PLAIN_TEXT);
  }

  function readLine(line: string): void {
    listeners.onLine?.(line);
    const event = parseEvent(line);
    if (!event) {
      addPlainText(`${line}\n`);
      return;
    }
    seen = { ...seen, events: seen.events + 1, ...changeOf(event) };
    if (event.kind === 'message') addMessage(messages, event);
    listeners.onEvent?.(event);
  }

  /** What an event adds to what is known. */
  function changeOf(event: AgentEvent): Partial<Seen> {
    switch (event.kind) {
      case 'start':
        return { hasStarted: true, sessionId: event.sessionId };
      case 'retry': {
        const isOverloaded = event.status === 429 || event.status === 529;
        return { retries: seen.retries + 1, overloadedRetries: seen.overloadedRetries + (isOverloaded ? 1 : 0) };
      }
      case 'limit':
        return { limit: { status: event.status, resetsAtMs: event.resetsAtMs } };
      case 'message':
        return event.isOfSubAgent ? {} : { apiError: event.apiError };
      case 'result':
        return { result: event };
      case 'other':
        return {};
    }
  }

  const lines = createLineSplitter({
    maxBytes: MAX_LINE_BYTES,
    onLine: readLine,
    onTooLong: (bytes) => addPlainText(`(a line of ${bytes} bytes)\n`),
  });
  return {
    push: lines.push,
    end: lines.end,
    addPlainText,
    seen: () => ({ ...seen, plainText, ...sumMessages([...messages.values()]) }),
  };
}

/** The stream repeats a message's usage with each of its blocks: the largest counts, and the lengths add up. */
function addMessage(messages: Map<string, MessageEvent>, event: MessageEvent): void {
  const known = messages.get(event.id);
  if (!known && messages.size >= MAX_MESSAGES) return;
  const isLarger = !known || event.usage.tokens.output >= known.usage.tokens.output;
  const usage = isLarger ? event.usage : known.usage;
  messages.set(event.id, { ...event, usage, characters: event.characters + (known?.characters ?? 0) });
}

function sumMessages(messages: readonly MessageEvent[]): { usage: ModelUsage[]; turns: number } {
  const ofModels = messages.filter(({ usage }) => usage.model !== NO_MODEL);
  const usage = ofModels.map(({ usage: { model, tokens }, characters }) => {
    const written = Math.ceil(characters / CHARACTERS_PER_TOKEN);
    return { model, tokens: { ...tokens, output: Math.max(tokens.output, written) } };
  });
  return { usage: sumByModel(usage), turns: ofModels.filter(({ isOfSubAgent }) => !isOfSubAgent).length };
}
