import { readWeek } from '../retro/week.ts';
import type { Words } from '../words.ts';
import { askButtons } from './ask-buttons.ts';
import type { Button, Keyboard } from './buttons.ts';
import type { Drawing } from './chart/render.ts';
import { escapeText, type Html, join } from './html.ts';
import type { Facts } from './outbox.ts';
import { retroPicture } from './retro-picture.ts';
import type { Speaker, Values } from './speaker.ts';
import { describeFactCalls } from './tool-requests.ts';
import { LABELS } from './words/buttons.ts';
import { OUTCOME_WORDS, PERIOD_WORDS, TOLD } from './words/notifications.ts';

/**
 * How much something may disturb: `loud` is sent at any hour, `now` too but at night without a sound, `later` waits for the
 * end of the quiet hours.
 */
export type Urgency = 'loud' | 'now' | 'later';

/** One kind of notification. */
export interface Kind {
  readonly urgency: Urgency | ((facts: Facts) => Urgency);
  readonly words: (facts: Facts) => Words;
  /** How it is said where several are told at once; as a whole if it does not say. */
  readonly line?: (facts: Facts) => Words;
  /** What the words are filled with besides the facts themselves. */
  readonly values?: (facts: Facts, speaker: Speaker) => Values;
  /** Some minutes it waits for others of its kind, to be told at once with them. */
  readonly isGathered?: (facts: Facts) => boolean;
  readonly buttons?: (facts: Facts, key: string) => Keyboard;
  readonly picture?: (facts: Facts, speaker: Speaker) => Drawing | undefined;
  /** It is never told together with others. */
  readonly isAlone?: true;
}

const LONGEST_TEXT = 30_000;
/** A fact of this name and an id is a line of a checklist. */
const ITEM = 'item-';

/** Every kind of notification there is. To add one: an entry here, and its words in `words/notifications.ts`. */
export const KINDS = {
  'task-ended': {
    urgency: ({ outcome, source }) => (isGood(outcome) && source !== 'telegram' ? 'later' : 'now'),
    words: ({ outcome }) => (outcome === 'ok' ? TOLD.taskDone : TOLD.taskFailed),
    line: ({ outcome }) =>
      outcome === 'ok' ? TOLD.taskDoneLine : outcome === 'cancelled' ? TOLD.taskCancelledLine : TOLD.taskFailedLine,
    values: describeTaskEnd,
    // Whoever started it here waits for it.
    isGathered: ({ outcome, source }) => isGood(outcome) && source !== 'telegram',
    buttons: taskEndButtons,
  },
  approval: {
    urgency: 'now',
    words: () => TOLD.approval,
    values: ({ budgetUsd, expiresMs, prompt }, { money, moment, quote }) => ({
      budget: money(Number(budgetUsd)),
      expires: moment(Number(expiresMs)),
      prompt: quote(String(prompt), 800),
    }),
    buttons: (facts) => askButtons(facts, 'task'),
    isAlone: true,
  },
  'tool-request': {
    urgency: 'now',
    words: () => TOLD.toolRequest,
    values: (facts, speaker) => ({
      ...describeTaskEnd(facts, speaker),
      prompt: speaker.quote(String(facts.prompt), 400),
      expires: speaker.moment(Number(facts.expiresMs)),
    }),
    buttons: (facts) => askButtons(facts, 'tool'),
    isAlone: true,
  },
  'budget-notice': {
    urgency: 'now',
    words: () => TOLD.budget,
    values: ({ period, spentUsd, limitUsd }, { plain, money }) => ({
      period: plain(PERIOD_WORDS[String(period)] ?? { it: String(period), en: String(period) }),
      spent: money(Number(spentUsd)),
      limit: money(Number(limitUsd)),
    }),
  },
  'queue-paused': { urgency: 'now', words: () => TOLD.paused },
  'second-poller': { urgency: 'loud', words: () => TOLD.secondPoller },
  digest: {
    urgency: 'later',
    words: () => TOLD.digest,
    values: ({ needs }, { say, quote }) => ({
      needs: needs === undefined ? say(TOLD.needsNothing) : say(TOLD.needsYou, { what: quote(String(needs), 1_500) }),
    }),
    isAlone: true,
  },
  'project-health': { urgency: 'now', words: () => TOLD.health, values: longText },
  retro: {
    urgency: 'later',
    words: () => TOLD.retro,
    values: longText,
    picture: ({ week }, speaker) => retroPicture(readWeek(week), speaker),
    isAlone: true,
  },
  checklist: {
    urgency: 'later',
    words: () => TOLD.checklist,
    values: (facts, speaker) => ({ ...longText(facts, speaker), items: describeItems(facts, speaker) }),
    buttons: checklistButtons,
    isAlone: true,
  },
  'reviews-capped': { urgency: 'later', words: () => TOLD.reviewsCapped },
  'review-refused': { urgency: 'now', words: () => TOLD.reviewRefused },
} as const satisfies Record<string, Kind>;

/** What is known of a kind; of one nobody has described, its text, or its facts one by one. */
export function kindOf(name: string): Kind {
  const known: Readonly<Record<string, Kind>> = KINDS;
  return Object.hasOwn(known, name)
    ? known[name]
    : { ...ANYTHING, values: (facts, speaker) => longText({ kind: name, ...facts }, speaker) };
}

const ANYTHING: Kind = { urgency: 'now', words: () => TOLD.anything };

/** How urgent a notification is. */
export function urgencyOf(name: string, facts: Facts): Urgency {
  const { urgency } = kindOf(name);
  return typeof urgency === 'function' ? urgency(facts) : urgency;
}

/** The whole text of a notification, or its line among several. */
export function tell(name: string, facts: Facts, speaker: Speaker, form: 'whole' | 'line' = 'whole'): Html {
  const kind = kindOf(name);
  const words = form === 'line' && kind.line ? kind.line(facts) : kind.words(facts);
  return speaker.say(words, { ...facts, ...kind.values?.(facts, speaker) });
}

/** The items of a checklist: facts named `item-ID`, each with its text. */
export function itemsOf(facts: Facts): readonly { readonly item: string; readonly text: string }[] {
  return Object.entries(facts)
    .filter(([name]) => name.startsWith(ITEM))
    .map(([name, text]) => ({ item: name.slice(ITEM.length), text: String(text) }));
}

function isGood(outcome: unknown): boolean {
  return outcome === 'ok' || outcome === 'cancelled';
}

function describeTaskEnd(facts: Facts, speaker: Speaker): Values {
  const { money, duration, plain, quote, say } = speaker;
  const { id, outcome, costUsd, durationMs, error, link } = facts;
  // An address is no text to be masked: a long number in it would be taken for somebody's.
  const url = link === undefined ? undefined : escapeText(String(link));
  const words = OUTCOME_WORDS[String(outcome)];
  return {
    outcome: words ? plain(words) : String(outcome),
    cost: money(Number(costUsd)),
    time: duration(Number(durationMs)),
    short: shortId(String(id)),
    error: error === undefined ? undefined : quote(String(error), 700),
    calls: describeFactCalls(facts, speaker),
    branch: facts.branch,
    link: url && say(TOLD.review, { url }),
    review: url ? say(TOLD.reviewInLine, { url }) : { html: '' },
  };
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-/;
const [SHORT_UUID, LONGEST_SHORT] = [8, 26];

/** How a task is written in a command one can touch, where Telegram takes letters, digits and _: the beginning of its id. */
export function shortId(id: string): string {
  return id.replace(/\W/g, '_').slice(0, UUID.test(id) ? SHORT_UUID : LONGEST_SHORT);
}

function taskEndButtons({ id, outcome }: Facts): Keyboard {
  const args = { id };
  const looks = [
    { label: LABELS.log, action: 'task-log', args },
    { label: LABELS.trace, action: 'task-trace', args },
  ];
  if (outcome === 'ok') return [looks, [{ label: LABELS.fix, action: 'task-fix', args, isOnce: true }]];
  return [looks, [{ label: LABELS.retry, action: 'task-retry', args, isOnce: true }]];
}

/** The ready text, or if there is none the facts one by one: better than a heading alone. */
function longText(facts: Facts, { quote }: Speaker): Values {
  const { text } = facts;
  const lines = Object.entries(facts).filter(([name]) => !name.startsWith(ITEM));
  const whole = text ?? lines.map(([name, value]) => `${name}: ${value}`).join('\n');
  return { text: quote(String(whole), LONGEST_TEXT) };
}

function describeItems(facts: Facts, { quote }: Speaker): Html | undefined {
  const items = itemsOf(facts);
  if (items.length === 0) return undefined;
  return join(items.map(({ text }) => ({ html: `▫️ ${quote(text, 200).html}` })));
}

function checklistButtons(facts: Facts, key: string): Keyboard {
  return itemsOf(facts).map((each) => [tickButton(each, key)]);
}

/** Ticks a line of a checklist off, as long as the digest reminds of it: what is asked for once a quarter is asked for again by then. */
export function tickButton({ item, text }: { readonly item: string; readonly text: string }, key: string): Button {
  return { label: `▫️ ${text}`, action: 'tick', args: { key, item }, isOnce: true, validDays: 100 };
}
