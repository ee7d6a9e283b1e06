import { kindOf, urgencyOf } from './catalogue.ts';
import type { OutboxItem } from './outbox.ts';

/** What is sent next: one by itself, or several at once. */
export interface Delivery {
  readonly items: readonly OutboxItem[];
  readonly isSilent: boolean;
}

/** More than that at once are told in one message. */
const MOST_SINGLE = 3;
const MOST_AT_ONCE = 25;
/** How long one waits for others of its kind, and how many are enough. */
export const GATHER_MS = 3 * 60_000;
const ENOUGH = 10;

/** What of those that wait, oldest first, is sent next; undefined if nothing is to be sent at this moment. */
export function planNext(
  waiting: readonly OutboxItem[],
  { nowMs, isQuiet }: { readonly nowMs: number; readonly isQuiet: boolean },
): Delivery | undefined {
  const urgent = waiting.filter((item) => urgencyOf(item.kind, item.facts) !== 'later');
  if (urgent.length > 0) {
    const items = together(urgent, MOST_SINGLE);
    const isLoud = items.some((item) => urgencyOf(item.kind, item.facts) === 'loud');
    return { items, isSilent: isQuiet && !isLoud };
  }
  if (isQuiet) return undefined;
  const gathered = waiting.filter(isGathered);
  const rest = waiting.filter((item) => !isGathered(item));
  if (rest.length > 0) return { items: together(rest, MOST_SINGLE), isSilent: false };
  const isDue = gathered.length >= ENOUGH || gathered.some(({ at }) => nowMs - Date.parse(at) >= GATHER_MS);
  return isDue ? { items: together(gathered, 1), isSilent: false } : undefined;
}

function isGathered({ kind, facts }: OutboxItem): boolean {
  return kindOf(kind).isGathered?.(facts) === true;
}

/** The first of them, or if there are more than a few, as many as go together. */
function together(items: readonly OutboxItem[], mostSingle: number): readonly OutboxItem[] {
  const [first] = items;
  // What was begun is ended as it was begun.
  const isSociable = ({ kind, partsSent }: OutboxItem): boolean => partsSent === 0 && !kindOf(kind).isAlone;
  if (items.length <= mostSingle || !isSociable(first)) return [first];
  return items.filter(isSociable).slice(0, MOST_AT_ONCE);
}
