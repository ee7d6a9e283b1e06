import type { Stop } from '../../lib/lifecycle.ts';
import type { NotificationWorker } from '../../lib/queue/notification-worker.ts';
import type { MonitorDb } from '../monitor-db.ts';
import type { Outbox } from '../telegram/outbox.ts';
import { createPhone, type Pace, type Phone } from '../telegram/phone.ts';
import { isQuiet } from '../telegram/quiet-hours.ts';
import { withReviewLink } from '../telegram/review-link.ts';
import { startSender } from '../telegram/sender.ts';
import { takeNotification } from '../telegram/tool-requests.ts';
import type { Tools } from '../tools.ts';
import type { Part } from './part.ts';

/** The sender of notifications, and the bot that takes orders; they share one line to Telegram. */
export function createTelegramParts(pace: Pace = {}): readonly Part[] {
  // One for each scheduler there is in this process.
  const phones = new WeakMap<MonitorDb, Phone | string>();
  const phoneOf = (tools: Tools): Phone | string => {
    const phone = phones.get(tools.db) ?? createPhone(tools, pace);
    phones.set(tools.db, phone);
    return phone;
  };
  return [
    {
      name: 'notifications',
      start: async (tools) => {
        const found = phoneOf(tools);
        return typeof found === 'string' ? { off: found } : { stop: await startNotifications(tools, found, pace) };
      },
    },
    {
      name: 'bot',
      start: async (tools) => {
        const found = phoneOf(tools);
        if (typeof found === 'string') return { off: found };
        if (tools.settings.scheduler.telegramAllowedUserIds.length === 0) {
          return { off: 'TELEGRAM_ALLOWED_USER_IDS is not set: nobody may give orders' };
        }
        const { startBot } = await import('../telegram/bot.ts');
        return { stop: startBot(tools, found, pace) };
      },
    },
  ];
}

async function startNotifications(tools: Tools, phone: Phone, { retryMs }: Pace): Promise<Stop> {
  const { settings, clock, counters, log, hasQueue } = tools;
  const { outbox, chat, speaker, quietHours, hangUp } = phone;
  const { timezone } = settings.config;
  outbox.forgetOld();
  const sender = startSender({
    ...{ outbox, chat, speaker, clock, counters, log },
    complete: (item) => withReviewLink(item, tools),
    isQuiet: (nowMs) => isQuiet(nowMs, quietHours, timezone),
    ...(retryMs === undefined ? {} : { retryMs }),
  });
  const worker = hasQueue ? await takeNotifications(tools, outbox) : undefined;
  return async () => {
    await worker?.close();
    hangUp.abort(new Error('the scheduler stops'));
    await sender.stop();
  };
}

/** From their queue in Redis into the outbox. What does that is loaded where there is a Redis: it is 20 MB of memory. */
async function takeNotifications({ settings, db, clock, log }: Tools, outbox: Outbox): Promise<NotificationWorker> {
  const { startNotificationWorker } = await import('../../lib/queue/notification-worker.ts');
  return startNotificationWorker({
    config: settings.work,
    take: (notification) => takeNotification(notification, { db, outbox, nowMs: clock() }),
    onTrouble: (reason) => log.warn({ reason }, 'a notification could not be taken'),
  });
}
