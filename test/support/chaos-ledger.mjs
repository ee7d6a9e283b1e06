// What must be true once everything has come to rest, whatever was killed meanwhile.
import Database from 'better-sqlite3';
/** @import { Program } from './chaos-world.mjs' */
import { agentProcesses } from './chaos-world.mjs';

/**
 * @typedef {{ task_id: string, event_type: string, task_status: string, error_message: string, notes: string }} EventRow
 * @typedef {{ task_id: string, attempt: number, cost_usd: number }} UsageRow
 * @typedef {{ task: { id: string }, costMicroUsd: number }} Drawn
 */

/** No agent of the chaos does anything that ends like this. */
const UNEXPECTED = ['bad-request', 'auth', 'rate-limited', 'stuck', 'timeout', 'cancelled'];

/**
 * Reads the memory and Redis, and compares them with each other and with what was asked for.
 * @param {{ redis: import('ioredis').Redis, memoryPath: string, programs: readonly Program[], drawn: readonly Drawn[] }} world
 */
export async function checkLedger({ redis, memoryPath, programs, drawn }) {
  const { events, usage } = readMemory(memoryPath);
  const spentMicroUsd = sum(await hashValues(redis, 'swarm:budget', /^day:/));
  const bookedMicroUsd = sum(usage.map(({ cost_usd }) => Math.round(cost_usd * 1e6)));
  const left = await leftovers(redis, programs, drawn);
  const violations = [
    ...(await Promise.all(drawn.map((each) => checkTask(redis, each, events, usage)))).flat(),
    ...strangers(events, drawn),
    ...Object.entries(left).flatMap(([what, found]) => found.map((each) => `left: ${what}: ${each}`)),
    // Shares of a run's cost are rounded row by row.
    ...(Math.abs(spentMicroUsd - bookedMicroUsd) > usage.length
      ? [`the budget of the day says ${spentMicroUsd} microdollars, task_usage adds up to ${bookedMicroUsd}`]
      : []),
  ];
  const counts = {
    'rows of ends': events.filter(isEnd).length,
    'rows of retries': events.filter(isRetry).length,
    ...countBy(events.filter(isEnd), ({ task_status }) => `ended as ${task_status}`),
    'agents started': await countTraces(redis, drawn, 'agent'),
    'found after a crash': await countTraces(redis, drawn, 'found after a crash'),
    'errors of ours': await countTraces(redis, drawn, 'error of ours'),
    'microdollars in task_usage': bookedMicroUsd,
    'microdollars in the budget': spentMicroUsd,
  };
  return { counts, violations };
}

/** @param {string} path */
function readMemory(path) {
  const db = new Database(path, { readonly: true });
  try {
    const events = /** @type {EventRow[]} */ (db.prepare('SELECT * FROM swarm_events').all());
    const usage = /** @type {UsageRow[]} */ (db.prepare('SELECT * FROM task_usage').all());
    return { events, usage };
  } finally {
    db.close();
  }
}

/**
 * One end, one row for each attempt before the last, and costs that agree.
 * @param {import('ioredis').Redis} redis
 * @param {Drawn} drawn
 * @param {readonly EventRow[]} events
 * @param {readonly UsageRow[]} usage
 */
async function checkTask(redis, { task: { id }, costMicroUsd }, events, usage) {
  const own = events.filter(({ task_id }) => task_id === id);
  const ends = own.filter(isEnd);
  if (ends.length !== 1) return [`${id} has ${ends.length} ending rows`];
  const { task_status, error_message, notes } = ends[0];
  const { costUsd } = JSON.parse(notes);
  const end = JSON.parse((await redis.hget(`swarm:task:${id}`, 'end')) ?? '{}');
  const { failures } = JSON.parse((await redis.hget(`swarm:task:${id}`, 'progress')) ?? '{}');
  const retries = own.filter(isRetry).length;
  const booked = sum(usage.filter(({ task_id }) => task_id === id).map(({ cost_usd }) => cost_usd));
  const violations = [];
  if (UNEXPECTED.includes(task_status)) violations.push(`${id} ended as ${task_status}: ${error_message}`);
  if (end.outcome !== task_status) violations.push(`${id} ended as ${end.outcome}, its row says ${task_status}`);
  if (retries !== failures) violations.push(`${id} failed ${failures} times before its end, with ${retries} rows`);
  if (Math.abs(booked - costUsd) > 2e-6) violations.push(`${id} cost ${costUsd}, task_usage says ${booked}`);
  const runs = (costUsd * 1e6) / costMicroUsd;
  const isWhole = Math.abs(runs - Math.round(runs)) < 0.01 && (task_status !== 'ok' || runs > 0.5);
  if (!isWhole) violations.push(`${id} cost ${runs} times what a run costs, and ended as ${task_status}`);
  return violations;
}

/**
 * @param {readonly EventRow[]} events
 * @param {readonly Drawn[]} drawn
 */
function strangers(events, drawn) {
  const known = new Set(drawn.map(({ task }) => task.id));
  return events.filter(({ task_id }) => !known.has(task_id)).map(({ task_id }) => `a row of a stranger: ${task_id}`);
}

/**
 * What a system at rest does not hold.
 * @param {import('ioredis').Redis} redis
 * @param {readonly Program[]} programs
 * @param {readonly Drawn[]} drawn
 */
async function leftovers(redis, programs, drawn) {
  const jobs = async (/** @type {string} */ queue) => {
    const lists = ['wait', 'active', 'paused'].map((state) => redis.lrange(`swarm:${queue}:${state}`, 0, -1));
    const sets = ['delayed', 'prioritized'].map((state) => redis.zrange(`swarm:${queue}:${state}`, 0, '-1'));
    return (await Promise.all([...lists, ...sets])).flat();
  };
  return {
    'an agent': agentProcesses(new Set(drawn.map(({ task }) => task.id))).map(
      ({ pid, taskId }) => `${pid} of ${taskId}`,
    ),
    'a task': await jobs('swarm-tasks'),
    'a result': await redis.xrange('swarm:swarm-results', '-', '+'),
    'a result that was refused': await redis.xrange('swarm:swarm-results:refused', '-', '+'),
    'a reservation': await redis.hkeys('swarm:budget-reserved'),
    'a lock': await redis.keys('swarm:swarm-*:lock'),
    'a slot': await redis.keys('swarm:project:*'),
    'a parked task': await redis.keys('swarm:parked:*'),
    'a lease': await leases(redis, programs),
    'a closed gate': (await hashValues(redis, 'swarm:gates', /./)).filter(
      (text) => JSON.parse(text).untilMs === undefined,
    ),
  };
}

/**
 * Who holds the recorder's lease; the lease of a process that was killed runs out by itself.
 * @param {import('ioredis').Redis} redis
 * @param {readonly Program[]} programs
 */
async function leases(redis, programs) {
  const holder = await redis.get('swarm:recorder-lease');
  if (holder === null) return [];
  // Machine, then name space, number and start of the process.
  const pid = Number(holder.split(':').at(-2));
  const isOfKilled = programs.some(({ killed }) => killed.has(pid));
  return isOfKilled && (await redis.pttl('swarm:recorder-lease')) > 0 ? [] : [holder];
}

/**
 * @param {import('ioredis').Redis} redis
 * @param {string} key
 * @param {RegExp} fields
 */
async function hashValues(redis, key, fields) {
  const entries = Object.entries(await redis.hgetall(key));
  return entries.filter(([field]) => fields.test(field)).map(([, value]) => value);
}

/**
 * @param {import('ioredis').Redis} redis
 * @param {readonly Drawn[]} drawn
 * @param {string} event
 */
async function countTraces(redis, drawn, event) {
  const traces = await Promise.all(drawn.map(({ task }) => redis.lrange(`swarm:trace:${task.id}`, 0, -1)));
  return traces.flat().filter((entry) => JSON.parse(entry).event === event).length;
}

/** @param {EventRow} row */
function isEnd({ event_type }) {
  return event_type === 'task_complete' || event_type === 'task_failed';
}

/** @param {EventRow} row */
function isRetry({ event_type }) {
  return event_type === 'task_retry';
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 */
function countBy(items, keyOf) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const key of items.map(keyOf)) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

/** @param {readonly (number | string)[]} numbers */
function sum(numbers) {
  return numbers.map(Number).reduce((total, each) => total + each, 0);
}
