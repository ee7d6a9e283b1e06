import type { Redis } from 'ioredis';
import { redisKey } from './names.ts';

/** Why no task may be taken at the moment; the label of swarm_queue_paused. */
export const GATES = [
  'user',
  'budget-day',
  'budget-week',
  'budget-month',
  'budget-unknown',
  'usage-limit',
  'provider',
] as const;
export type GateReason = (typeof GATES)[number];

/** A closed gate: the queue is paused until it opens. */
export interface Gate {
  readonly reason: GateReason;
  readonly text: string;
  /** It opens by itself then; undefined if only a person, or what closed it, opens it. */
  readonly untilMs: number | undefined;
}

const KEY = redisKey('gates');

/** Closes a gate, for everybody who takes tasks from this Redis. */
export async function closeGate(redis: Redis, gate: Gate): Promise<void> {
  await redis.hset(KEY, gate.reason, JSON.stringify(gate));
}

/** Opens gates again. */
export async function openGates(redis: Redis, reasons: readonly GateReason[] = GATES): Promise<void> {
  await redis.hdel(KEY, ...reasons);
}

/** The gates that are closed now. */
export async function readGates(redis: Redis, nowMs: number): Promise<readonly Gate[]> {
  const entries = Object.values(await redis.hgetall(KEY)).map((text) => JSON.parse(text) as Gate);
  return entries.filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs);
}
