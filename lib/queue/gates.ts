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
  'redis',
  'no-agent',
] as const;
export type GateReason = (typeof GATES)[number];

/** What a person opens who says that work goes on. Of what Redis does not know, nothing may be spent, whoever wishes it. */
export const OPENED_BY_A_PERSON: readonly GateReason[] = [
  'user',
  'usage-limit',
  'provider',
  'budget-day',
  'budget-week',
  'budget-month',
];

/** A closed gate: the queue is paused until it opens. */
export interface Gate {
  readonly reason: GateReason;
  readonly text: string;
  /** It opens by itself then; undefined if only a person, or what closed it, opens it. */
  readonly untilMs: number | undefined;
}

const KEY = redisKey('gates');
/** The text goes into logs, terminals and messages; some of it is an agent's or a provider's. */
const LONGEST_TEXT = 500;

/** Closes a gate, for everybody who takes tasks from this Redis. */
export async function closeGate(redis: Redis, gate: Gate): Promise<void> {
  const text = gate.text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  await redis.hset(KEY, gate.reason, JSON.stringify({ ...gate, text: text.slice(0, LONGEST_TEXT) }));
}

/** Opens gates again. */
export async function openGates(redis: Redis, reasons: readonly GateReason[] = GATES): Promise<void> {
  await redis.hdel(KEY, ...reasons);
}

/** The gates that are closed now, in the order of GATES. */
export async function readGates(redis: Redis, nowMs: number): Promise<readonly Gate[]> {
  const entries = Object.values(await redis.hgetall(KEY)).map((text) => JSON.parse(text) as Gate);
  const closed = entries.filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs);
  // Redis gives them in any order.
  return closed.sort((one, other) => GATES.indexOf(one.reason) - GATES.indexOf(other.reason));
}
