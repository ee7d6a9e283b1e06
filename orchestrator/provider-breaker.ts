import type { Redis } from 'ioredis';
import { type Gate, openGates } from '../lib/queue/gates.ts';
import { redisKey } from '../lib/queue/names.ts';
import type { Outcome } from '../lib/queue/outcome.ts';

/** Stops taking tasks while a provider of models is out of order, so that the tasks of a night do not fail in a row. */
export interface ProviderBreaker {
  /** Notes how a run ended; the gate closes after five failures in a row that are the provider's. */
  readonly note: (model: string | undefined, outcome: Outcome) => Promise<void>;
}

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 5 * 60_000;
const LONGEST_PAUSE_MS = 60 * 60_000;
const FORGOTTEN_AFTER_SECONDS = 6 * 3_600;
const PROVIDERS_FAULT: readonly Outcome[] = ['overloaded', 'auth'];
/** Outcomes that show that the provider answered. */
const ANSWERED: readonly Outcome[] = ['ok', 'needs-attention', 'budget', 'max-turns'];

/** How long the gate stays closed after so many failures in a row; undefined while there are too few. */
export function pauseMs(failures: number): number | undefined {
  if (failures < FAILURES_TO_OPEN) return undefined;
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - FAILURES_TO_OPEN), LONGEST_PAUSE_MS);
}

/** A provider is what stands before the first slash of a model's name; without one, it is the agent's own. */
export function providerOf(model: string | undefined): string {
  const slash = model?.indexOf('/') ?? -1;
  return slash > 0 && model !== undefined ? model.slice(0, slash) : 'anthropic';
}

/** The breakers of all providers, shared by every orchestrator on this Redis. */
export function createProviderBreaker(redis: Redis, closeGate: (gate: Gate) => Promise<void>): ProviderBreaker {
  return {
    note: async (model, outcome) => {
      const provider = providerOf(model);
      const key = redisKey('provider', provider);
      if (ANSWERED.includes(outcome)) {
        // The first answer after a pause: whatever waits may go on.
        if ((await redis.del(key)) === 1) await openGates(redis, ['provider']);
        return;
      }
      if (!PROVIDERS_FAULT.includes(outcome)) return;
      const failures = await redis.incr(key);
      await redis.expire(key, FORGOTTEN_AFTER_SECONDS);
      const pause = pauseMs(failures);
      if (pause === undefined) return;
      const text = `${failures} runs in a row ended as "${outcome}": ${provider} is out of order, or refuses us.`;
      await closeGate({ reason: 'provider', text, untilMs: Date.now() + pause });
    },
  };
}
