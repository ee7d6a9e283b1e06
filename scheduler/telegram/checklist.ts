import { utc } from '../ledger.ts';
import { tickOff } from '../maintenance/checklist.ts';
import type { Args, Keyboard } from './buttons.ts';
import { itemsOf, tickButton } from './catalogue.ts';
import type { Action, Context, Effect } from './context.ts';
import { join } from './html.ts';

/** What the lines of a checklist do when they are touched. */
export const CHECKLIST_ACTIONS: Readonly<Record<string, Action>> = { tick };

/** Ticks a line off; the list is shown again with those that are left. */
async function tick({ db, clock, userId, audit, phone, speaker }: Context, args: Args): Promise<Effect> {
  const [list, item] = [String(args.key), String(args.item)];
  const nowMs = clock();
  const at = utc(nowMs);
  db.transaction(() => {
    db.prepare('INSERT OR IGNORE INTO telegram_ticks (list, item, ticked_at, user_id) VALUES (?, ?, ?, ?)').run(
      list,
      item,
      at,
      userId,
    );
    tickOff(db, item, { by: `telegram:${userId}`, nowMs });
    audit('tick', `${list} ${item}`, 'done');
  })();
  const told = phone.outbox.find(list);
  if (!told) return {};
  const ticked = new Set(
    db.prepare<[string], string>('SELECT item FROM telegram_ticks WHERE list = ?').pluck().all(list),
  );
  const items = itemsOf(told.facts);
  const lines = items.map((each) => ({
    html: `${ticked.has(each.item) ? '✅' : '▫️'} ${speaker.quote(each.text, 200).html}`,
  }));
  const buttons: Keyboard = items.filter((each) => !ticked.has(each.item)).map((each) => [tickButton(each, list)]);
  return { edit: { text: join([{ html: '🧹' }, ...lines]), buttons } };
}
