import { utc } from '../ledger.ts';
import type { Tools } from '../tools.ts';
import type { Words } from '../words.ts';
import type { Args } from './buttons.ts';
import type { Reply } from './chat.ts';
import type { Phone } from './phone.ts';
import type { Speaker } from './speaker.ts';

/** What a command or a button works with. */
export interface Context extends Tools {
  readonly phone: Phone;
  readonly speaker: Speaker;
  /** Who gives the order: somebody who may. */
  readonly userId: number;
  /** Writes down an order that changed something. */
  readonly audit: (what: string, subject: string, outcome: string) => void;
  /** The message whose button was pressed. */
  readonly messageId?: number | undefined;
  /** Every command there is. */
  readonly commands: readonly BotCommand[];
}

/** A command of the bot. */
export interface BotCommand {
  /** As it is typed, without the slash; each works in every language. */
  readonly names: Words;
  /** For the menu. */
  readonly about: Words;
  /** What it answers. @throws OperatorError, which is told. */
  readonly run: (context: Context, argument: string) => Promise<Reply>;
  /** What its buttons do, by their actions. */
  readonly actions?: Readonly<Record<string, Action>>;
}

/** What a button did: another text in the place of its message, an answer below, or both. */
export interface Effect {
  readonly edit?: Reply;
  readonly reply?: Reply;
}

/** What a button does. */
export type Action = (context: Context, args: Args) => Promise<Effect>;

/** Writes down who ordered what. */
export function noteOrder(
  { db, clock, phone }: Pick<Context, 'db' | 'clock' | 'phone'>,
  order: { readonly userId: number; readonly what: string; readonly subject: string; readonly outcome: string },
): void {
  db.prepare('INSERT INTO telegram_audit (at, user_id, chat_id, what, subject, outcome) VALUES (?, ?, ?, ?, ?, ?)').run(
    utc(clock()),
    order.userId,
    phone.chatId,
    order.what,
    order.subject.slice(0, 200),
    order.outcome.slice(0, 200),
  );
}
