import type { Redis } from 'ioredis';
import { redisKey } from './names.ts';
import type { ShippedResult } from './result.ts';
import { sending } from './results.ts';
import { createStep, runSteps } from './script.ts';

/** A batch that the recorder refused, or Redis lost, does not stand in the way for longer. */
const FORGOTTEN_AFTER_SECONDS = 6 * 3_600;

const NOTE = createStep("return redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])", () => undefined);
const keyOf = (origin: string): string => redisKey('waiting-batch', origin);

/**
 * The batch of an origin that was handed to the recorder and may not be recorded yet. Until it is, no further one is taken: a
 * recorder that is down must not fill Redis with the same rows again and again, and a sender must know what has arrived.
 */
export async function readWaitingBatch(redis: Redis, origin: string): Promise<string | undefined> {
  return (await redis.get(keyOf(origin))) ?? undefined;
}

/** Hands rows of another machine to the recorder and notes that they wait: both, or neither. */
export async function sendShipment(redis: Redis, shipment: ShippedResult): Promise<void> {
  const { origin, batch } = shipment;
  await runSteps(redis, sending(shipment), NOTE([keyOf(origin)], [batch, FORGOTTEN_AFTER_SECONDS]));
}

/** It is recorded. */
export async function forgetWaitingBatch(redis: Redis, origin: string): Promise<void> {
  await redis.del(keyOf(origin));
}
