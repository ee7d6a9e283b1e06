import { kindOf, tell } from './catalogue.ts';
import type { Drawing } from './chart/render.ts';
import type { Reply } from './chat.ts';
import { type Html, join, LONGEST_MESSAGE } from './html.ts';
import type { OutboxItem } from './outbox.ts';
import type { Speaker } from './speaker.ts';
import { TOLD } from './words/notifications.ts';

/** Room for the heading of several, and for the remark that one may have come before. */
const ROOM = 200;

/** What is to be sent. */
export interface Composed {
  readonly reply: Reply;
  /** Those that found room in it. */
  readonly told: readonly OutboxItem[];
  /** The picture it comes with. */
  readonly picture?: Drawing | undefined;
}

/** What is sent for these: a message of its own for one, a list for several. */
export function compose(items: readonly OutboxItem[], speaker: Speaker): Composed {
  const [first] = items;
  if (items.length > 1) return composeList(items, speaker);
  const { kind, facts, key, isRepeat } = first;
  const text = join([tell(kind, facts, speaker), isRepeat ? speaker.say(TOLD.repeat) : undefined]);
  const { buttons: buttonsOf, picture: pictureOf } = kindOf(kind);
  const buttons = buttonsOf?.(facts, key);
  // A picture that broke the line would do so for ever: again it is told without.
  const picture = isRepeat ? undefined : pictureOf?.(facts, speaker);
  return { reply: { text, ...(buttons ? { buttons } : {}) }, told: items, picture };
}

function composeList(items: readonly OutboxItem[], speaker: Speaker): Composed {
  const told: OutboxItem[] = [];
  const lines: Html[] = [];
  let length = ROOM;
  for (const item of items) {
    const whole = tell(item.kind, item.facts, speaker, 'line');
    // One that would fill a message gets one of its own, another time.
    if (length + whole.html.length > LONGEST_MESSAGE && told.length > 0) break;
    length += whole.html.length + 1;
    told.push(item);
    lines.push(whole);
  }
  if (told.length === 1) return compose(told, speaker);
  const repeat = told.some(({ isRepeat }) => isRepeat) ? speaker.say(TOLD.repeat) : undefined;
  return { reply: { text: join([heading(told, speaker), ...lines, repeat]) }, told };
}

function heading(items: readonly OutboxItem[], { say, money }: Speaker): Html {
  const count = items.length;
  if (!items.every(({ kind }) => kind === 'task-ended')) return say(TOLD.several, { count });
  const costUsd = items.reduce((sum, { facts }) => sum + Number(facts.costUsd ?? 0), 0);
  return say(TOLD.severalDone, { count, cost: money(costUsd) });
}
