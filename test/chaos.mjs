// `npm run chaos -- [--tasks N] [--minutes M] [--seed S] [--machines 1]`: N tasks of fake agents, while orchestrators and
// Redis are killed with -9, or stopped for longer than their locks last, at random for M minutes. At rest, the books must
// balance. Exits with 1 if they do not. What is drawn is the same for the same seed, what happens is not. --keep leaves the
// folder to look at.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { checkLedger } from './support/chaos-ledger.mjs';
import { createRandom, drawTasks } from './support/chaos-tasks.mjs';
/** @import { Program } from './support/chaos-world.mjs' */
import { makeWorld, PROJECTS } from './support/chaos-world.mjs';

const { openTaskQueue } = await import(new URL('../dist/lib/queue/task-queue.js', import.meta.url).href);
const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    machines: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
  },
});
const [count, minutes, seed] = [values.tasks, values.minutes, values.seed].map(Number);
const AT_REST_WITHIN_MS = 240_000;
const UP_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 250;
/** Longer than a lock lasts, so that another takes over. */
const STOPPED_MS = 5_000;

console.log(`seed ${seed}: ${count} tasks, ${minutes} minutes of trouble`);
const random = createRandom(seed);
const world = await makeWorld(Number(values.machines));
const queue = openTaskQueue(world.redis);
/** @type {Record<string, number>} */
const troubles = {};
try {
  for (const program of world.programs) program.start();
  const drawn = drawTasks({ count, random, state: world.stateFolder, projects: PROJECTS });
  const untilMs = Date.now() + minutes * 60_000;
  await Promise.all([enqueueAll(drawn, untilMs), makeTrouble(untilMs)]);
  const hasRested = await untilAtRest();
  const orchestrators = world.programs.slice(1);
  await untilUp(orchestrators);
  for (const program of orchestrators) await program.end('SIGTERM');
  const { counts, violations } = await checkLedger({ ...world, drawn });
  const unexpected = world.programs.flatMap((program) => program.unexpected);
  if (!hasRested) violations.unshift(`not at rest after ${AT_REST_WITHIN_MS / 1_000} s`);
  print({ tasks: count, ...troubles, ...counts });
  for (const violation of [...unexpected, ...violations]) console.log(`VIOLATION ${violation}`);
  console.log(
    violations.length + unexpected.length === 0 ? 'nothing was lost' : `something was: --keep leaves ${world.folder}`,
  );
  process.exitCode = violations.length + unexpected.length === 0 ? 0 : 1;
} finally {
  await queue.close();
  if (values.keep) console.log(world.folder);
  await world.remove(values.keep);
}

/**
 * Tasks come as long as there is trouble, a few at a time.
 * @param {ReturnType<typeof drawTasks>} drawn
 * @param {number} untilMs
 */
async function enqueueAll(drawn, untilMs) {
  const pauseMs = (untilMs - Date.now()) / drawn.length;
  for (const { task } of drawn) {
    await queue.enqueue(task);
    await sleep(Math.min(pauseMs * 0.8, 2_000));
  }
}

/**
 * One trouble after another, each over before the next.
 * @param {number} untilMs
 */
async function makeTrouble(untilMs) {
  const [redis, one, two] = world.programs;
  const kinds = [
    () => killAndRestart(one),
    () => killAndRestart(two),
    () => killAndRestart(redis),
    () => stopForAWhile(random() < 0.5 ? one : two),
    () => Promise.all([killAndRestart(one), killAndRestart(two)]),
    () => Promise.all([killAndRestart(one), killAndRestart(redis)]),
  ];
  while (Date.now() < untilMs) {
    await sleep(1_500 + random() * 3_500);
    await kinds[Math.floor(random() * kinds.length)]();
  }
}

/** @param {Program} program */
async function killAndRestart(program) {
  note(`${program.name.split(' ')[0]} killed`);
  await program.end('SIGKILL');
  await sleep(random() * 2_500);
  program.start();
}

/** @param {Program} program */
async function stopForAWhile(program) {
  note('orchestrator stopped and continued');
  program.signal('SIGSTOP');
  await sleep(STOPPED_MS);
  program.signal('SIGCONT');
}

/** @param {string} trouble */
function note(trouble) {
  troubles[trouble] = (troubles[trouble] ?? 0) + 1;
}

/** Whether no task and no result waits, or is worked on, any more. */
async function untilAtRest() {
  const untilMs = Date.now() + AT_REST_WITHIN_MS;
  while (Date.now() < untilMs) {
    const { active = 0, wait = 0, prioritized = 0, delayed = 0 } = await queue.counts();
    if (active + wait + prioritized + delayed + (await queue.results()).waiting === 0) return true;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}

/**
 * The last trouble may be a moment old, and who has just been started does not hear a signal yet.
 * @param {readonly Program[]} programs
 */
async function untilUp(programs) {
  const untilMs = Date.now() + UP_WITHIN_MS;
  do await sleep(LOOK_EVERY_MS);
  while (Date.now() < untilMs && !programs.every(({ isUp }) => isUp()));
}

/** @param {Record<string, number>} counts */
function print(counts) {
  const width = Math.max(...Object.keys(counts).map((name) => name.length));
  for (const [name, value] of Object.entries(counts)) console.log(`${name.padEnd(width)} ${String(value).padStart(8)}`);
}
