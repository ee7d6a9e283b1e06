import type { Redis } from 'ioredis';
import { redisKey } from '../lib/queue/names.ts';
import { createScript, createStep, readAs, runSteps, type Step } from '../lib/queue/script.ts';
import type { TaskClaim } from '../lib/queue/task-state.ts';
import { type BudgetPeriods, budgetPeriods } from './budget-periods.ts';

/** The periods that have a limit of their own. */
export const PERIODS = ['day', 'week', 'month'] as const;
export type Period = (typeof PERIODS)[number];

/** A figure for each period, US dollars. */
export type PerPeriod = Readonly<Record<Period, number>>;

/** What became of a wish to spend. */
export type Reservation =
  | { readonly kind: 'reserved' }
  /** Others hold what is left; some of it may come back. */
  | { readonly kind: 'wait' }
  /** The period has not enough left. */
  | { readonly kind: 'full'; readonly period: Period; readonly spentUsd: number; readonly untilMs: number }
  /** Redis has lost what was spent; the recorder reads it from the memory. */
  | { readonly kind: 'unknown' };

/** What a task has brought a period to. */
export interface Spent {
  readonly period: Period;
  readonly spentUsd: number;
  readonly limitUsd: number;
}

/**
 * Money that agents may spend: reserved before a run, settled after it, in Redis, for every orchestrator together. A task has
 * one reservation, that of its latest generation; whoever has lost the task meanwhile can no longer give it up.
 */
export interface Budget {
  /** The period whose whole limit is less than an amount, which therefore can never be reserved. */
  readonly neverEnough: (usd: number) => Period | undefined;
  /** Reserves what a task may still cost, and a tenth more, since the agent's own limit is overshot a little. */
  readonly reserving: (claim: TaskClaim, remainingUsd: number) => Step<Reservation>;
  /**
   * Replaces the reservation by what the task has cost so far, all its runs together: said twice it is counted once. Gives the
   * periods that crossed 80 % by it.
   */
  readonly settling: (claim: TaskClaim, totalUsd: number) => Step<readonly Spent[]>;
  readonly releasing: (claim: TaskClaim) => Step;
  readonly release: (claim: TaskClaim) => Promise<void>;
  /** Who holds a reservation. */
  readonly holders: () => Promise<readonly TaskClaim[]>;
  readonly limit: PerPeriod;
  /** Whether Redis knows what was spent. */
  readonly isKnown: () => Promise<boolean>;
  /** Tells Redis what was spent, unless it knows. */
  readonly rebuild: (spentUsd: PerPeriod) => Promise<void>;
  readonly figures: () => Promise<{
    readonly spent: PerPeriod;
    readonly reservedUsd: number;
    readonly limit: PerPeriod;
  }>;
}

const RESERVE_FACTOR = 1.1;
const NOTICE_RATIO = 0.8;
const KEPT_SECONDS = 40 * 86_400;
const KEYS = [redisKey('budget'), redisKey('budget-reserved')];

const RESERVE = createStep(
  `
if redis.call('HEXISTS', KEYS[1], 'known') == 0 then return { 'unknown' } end
local need = tonumber(ARGV[3])
local reserved = 0
local held = redis.call('HGETALL', KEYS[2])
for index = 1, #held, 2 do
  if held[index] ~= ARGV[1] then reserved = reserved + tonumber(string.match(held[index + 1], ' (%d+)$')) end
end
for index = 4, #ARGV, 2 do
  local spent = tonumber(redis.call('HGET', KEYS[1], ARGV[index]) or '0')
  if spent + need > tonumber(ARGV[index + 1]) then return { 'full', (index - 4) / 2, spent } end
end
for index = 4, #ARGV, 2 do
  local spent = tonumber(redis.call('HGET', KEYS[1], ARGV[index]) or '0')
  if spent + reserved + need > tonumber(ARGV[index + 1]) then return { 'wait' } end
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return { 'reserved' }`,
  (answer) => answer as [Reservation['kind'], number, number],
);

/** A reservation is the generation that made it, a blank, and micro-dollars. */
const GIVE_UP = `
local held = redis.call('HGET', KEYS[2], ARGV[1])
if held and tonumber(string.match(held, '^%d+')) <= tonumber(ARGV[2]) then redis.call('HDEL', KEYS[2], ARGV[1]) end`;

const RELEASE = createStep(GIVE_UP, () => undefined);

const SETTLE = createStep(
  `${GIVE_UP}
local added = tonumber(ARGV[3]) - tonumber(redis.call('GET', KEYS[3]) or '0')
if added <= 0 then return {} end
redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[4])
local crossed = {}
for index = 5, #ARGV, 2 do
  local spent = redis.call('HINCRBY', KEYS[1], ARGV[index], added)
  local notice = 'notice:' .. ARGV[index]
  if spent >= tonumber(ARGV[index + 1]) and redis.call('HSETNX', KEYS[1], notice, '1') == 1 then
    crossed[#crossed + 1] = { (index - 5) / 2, spent }
  end
end
return crossed`,
  (answer) => answer as [number, number][],
);

const REBUILD = createScript(`
if redis.call('HSETNX', KEYS[1], 'known', '1') == 0 then return 0 end
for index = 1, #ARGV, 2 do
  local spent = tonumber(redis.call('HGET', KEYS[1], ARGV[index]) or '0')
  redis.call('HSET', KEYS[1], ARGV[index], math.max(spent, tonumber(ARGV[index + 1])))
end
return 1`);

/** The budget of all orchestrators on this Redis; limits in US dollars, days and weeks in `timezone`. */
export function createBudget({ redis, limit, timezone, nowMs = Date.now }: BudgetOptions): Budget {
  let known: BudgetPeriods | undefined;
  const periods = (): BudgetPeriods => {
    const ms = nowMs();
    // Weeks and months change with a day. Asked for each task anew, calendars took a sixth of the time of our process.
    if (!known || ms < known.day.startMs || ms >= known.day.endMs) known = budgetPeriods(ms, timezone);
    return known;
  };
  const field = (now: BudgetPeriods, period: Period): string => `${period}:${now[period].key}`;
  const tightest = PERIODS.reduce((least, each) => (limit[each] < limit[least] ? each : least), 'day' as Period);
  const releasing: Budget['releasing'] = ({ id, generation }) => RELEASE(KEYS, [id, generation]);
  return {
    limit,
    releasing,
    neverEnough: (usd) => (usd > limit[tightest] ? tightest : undefined),
    reserving: ({ id, generation }, remainingUsd) => {
      const now = periods();
      // A task that may cost as much as a whole day still has its day.
      const need = Math.min(remainingUsd * RESERVE_FACTOR, limit[tightest]);
      const limits = PERIODS.flatMap((period) => [field(now, period), micro(limit[period])]);
      return readAs(RESERVE(KEYS, [id, generation, micro(need), ...limits]), ([kind, index, spent]) => {
        if (kind !== 'full') return { kind };
        return { kind, period: PERIODS[index], spentUsd: spent / 1e6, untilMs: now[PERIODS[index]].endMs };
      });
    },
    settling: ({ id, generation }, totalUsd) => {
      const now = periods();
      const fields = PERIODS.flatMap((period) => [field(now, period), micro(limit[period] * NOTICE_RATIO)]);
      const keys = [...KEYS, redisKey('settled', id)];
      return readAs(SETTLE(keys, [id, generation, micro(totalUsd), KEPT_SECONDS, ...fields]), (crossed) =>
        crossed.map(([index, spent]) => {
          const period = PERIODS[index];
          return { period, spentUsd: spent / 1e6, limitUsd: limit[period] };
        }),
      );
    },
    release: async (claim) => {
      await runSteps(redis, releasing(claim));
    },
    holders: async () => {
      const held = Object.entries(await redis.hgetall(KEYS[1]));
      return held.map(([id, reservation]) => ({ id, generation: Number.parseInt(reservation, 10) }));
    },
    isKnown: async () => (await redis.hexists(KEYS[0], 'known')) === 1,
    rebuild: async (spentUsd) => {
      const now = periods();
      await REBUILD(
        redis,
        KEYS,
        PERIODS.flatMap((period) => [field(now, period), micro(spentUsd[period])]),
      );
    },
    figures: async () => {
      const now = periods();
      const [spent, reserved] = await Promise.all([
        redis.hmget(KEYS[0], ...PERIODS.map((period) => field(now, period))),
        redis.hvals(KEYS[1]),
      ]);
      const perPeriod = PERIODS.map((period, index) => [period, Number(spent[index] ?? 0) / 1e6]);
      const reservedUsd = reserved.reduce((sum, each) => sum + Number(each.split(' ')[1]), 0) / 1e6;
      return { spent: Object.fromEntries(perPeriod) as PerPeriod, reservedUsd, limit };
    },
  };
}

/** What a budget is made of. */
interface BudgetOptions {
  readonly redis: Redis;
  readonly limit: PerPeriod;
  readonly timezone: string;
  readonly nowMs?: () => number;
}

/** Whole micro-dollars: sums of them are exact. */
function micro(usd: number): number {
  return Math.round(usd * 1e6);
}
