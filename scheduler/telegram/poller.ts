import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { type BotApi, TelegramError } from './api.ts';
import type { Update } from './update.ts';

/** Asks Telegram for what people write and press. */
export interface Poller {
  readonly stop: () => Promise<void>;
}

/** What a poller works with. */
export interface PollerOptions {
  readonly api: BotApi;
  /** Given each update once, one after another. Never rejects. */
  readonly handle: (update: Update) => Promise<void>;
  /** Another program polls with our token; called once until it is gone. */
  readonly onOther: () => void;
  readonly log: Log;
  readonly pollSeconds?: number;
  /** How long the line is left to the other. */
  readonly yieldMs?: number;
}

const POLL_SECONDS = 50;
/** An answer comes this much later than Telegram was asked to wait, at most. */
const MARGIN_MS = 10_000;
const YIELD_MS = 5 * 60_000;
const RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** Updates come at least once, and not always in order: so many are remembered. */
const REMEMBERED = 1_000;
const CONFLICT = 409;

/** Starts to poll. What was written while nobody listened is dropped: orders of yesterday are no orders of today. */
export function startPoller(options: PollerOptions): Poller {
  const { log, onOther, yieldMs = YIELD_MS } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let hasOther = false;
  let failures = 0;
  const next = createReader(options, signal);

  /** How long to wait after a request that failed, milliseconds. */
  const judge = (error: unknown): number => {
    const told = error instanceof TelegramError ? error : undefined;
    if (told?.code === CONFLICT) {
      if (!hasOther) onOther();
      hasOther = true;
      return yieldMs;
    }
    failures += 1;
    if (failures === 1) log.warn({ reason: describeError(error) }, 'orders from the phone are not heard');
    return told?.retryAfterMs ?? Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (failures - 1));
  };

  /** How long to wait before the next request, milliseconds. */
  const turn = async (): Promise<number> => {
    try {
      await next();
    } catch (error) {
      return signal.aborted ? 0 : judge(error);
    }
    if (hasOther || failures > 0) log.info('orders from the phone are heard again');
    hasOther = false;
    failures = 0;
    return 0;
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const restMs = await turn();
      if (restMs > 0) await sleep(restMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort(new Error('the bot stops'));
      await running;
    },
  };
}

/** Asks once and handles what came; the first time it only looks where the backlog ends. */
function createReader({ api, handle, pollSeconds = POLL_SECONDS }: PollerOptions, signal: AbortSignal) {
  const seen = new Set<number>();
  let offset: number | undefined;
  const ask = (params: object, timeoutMs: number): Promise<readonly Update[]> =>
    api<readonly Update[]>({
      method: 'getUpdates',
      params: { ...params, allowed_updates: ['message', 'callback_query'] },
      timeoutMs,
      signal,
    });
  return async (): Promise<void> => {
    if (offset === undefined) {
      const backlog = await ask({ offset: -1, timeout: 0 }, MARGIN_MS);
      offset = (backlog.at(-1)?.update_id ?? -1) + 1;
      return;
    }
    const updates = await ask({ offset, timeout: pollSeconds }, pollSeconds * 1_000 + MARGIN_MS);
    for (const update of updates) {
      offset = Math.max(offset, update.update_id + 1);
      if (seen.has(update.update_id)) continue;
      seen.add(update.update_id);
      await handle(update);
    }
    for (const old of [...seen].slice(0, Math.max(0, seen.size - REMEMBERED))) seen.delete(old);
  };
}
