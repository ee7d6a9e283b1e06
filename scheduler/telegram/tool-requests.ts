import { APPROVAL_MS } from '../../lib/queue/approval.ts';
import type { Received } from '../../lib/queue/notification.ts';
import { fromFacts, type RefusedCall } from '../../lib/queue/refused-call.ts';
import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';
import { noteAsk } from './asks.ts';
import { type Html, join } from './html.ts';
import type { Facts, Outbox } from './outbox.ts';
import type { Speaker } from './speaker.ts';
import { NOT_GRANTABLE_WORDS, TOLD } from './words/notifications.ts';

const HOUR_MS = 3_600_000;

/**
 * Puts a notification into the outbox. The end of a task whose agent was refused a tool is a question: with its message, or not
 * at all, it is noted that it was asked.
 */
export function takeNotification(
  { key, kind, facts }: Received,
  { db, outbox, nowMs }: { readonly db: MonitorDb; readonly outbox: Outbox; readonly nowMs: number },
): void {
  // By our own clock: that of whoever told it may be another.
  const at = utc(nowMs);
  if (kind !== 'tool-request') {
    outbox.add({ key, kind, facts, at });
    return;
  }
  // The buttons last as long: what is asked a little less.
  const expiresMs = nowMs + APPROVAL_MS - HOUR_MS;
  db.transaction(() => {
    if (!outbox.add({ key, kind, facts: { ...facts, expiresMs }, at })) return;
    noteAsk(db, { id: String(facts.id), round: Number(facts.round), about: 'tool' }, { key, nowMs, expiresMs });
  })();
}

/** The calls that stand in the facts of a notification. */
export function describeFactCalls(facts: Facts, speaker: Speaker): Html | undefined {
  return describeCalls(fromFacts(facts), speaker);
}

/** What an agent was refused: each call with the rule that a yes would grant, whole, or why there is none. */
export function describeCalls(calls: readonly RefusedCall[] | undefined, { say, plain }: Speaker): Html | undefined {
  if (calls === undefined || calls.length === 0) return undefined;
  return join(
    calls.map((call) => {
      const { tool, input } = call;
      if ('why' in call) return say(TOLD.refusedCall, { tool, input, why: plain(NOT_GRANTABLE_WORDS[call.why]) });
      const { rule } = call;
      const isWhole = rule === tool;
      return say(isWhole ? TOLD.wholeToolAsked : TOLD.callAsked, {
        tool,
        rule,
        input: rule.includes(input) ? undefined : input,
      });
    }),
  );
}
