import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { closeGate, openGates } from '../lib/queue/gates.ts';
import { redisKey } from '../lib/queue/names.ts';
import { measureBareRecording, measureBareThroughput, type Throughput } from './bare-queue.ts';
import { enqueueMany, makeQueueScene, makeTask, type QueueScene, startProgram } from './queue-scene.ts';
import { measureStarts, type Starts } from './queue-starts.ts';

const { values: options } = parseArgs({
  options: {
    starts: { type: 'string', default: '300' },
    tasks: { type: 'string', default: '5000' },
    waiting: { type: 'string', default: '10000' },
    concurrency: { type: 'string', default: '10' },
    'rest-seconds': { type: 'string', default: '60' },
    only: { type: 'string', default: 'starts,throughput,memory,commands' },
  },
});
const RUNS_OF_A_COMMAND = 5;
/** What is on disk before an agent may start, and before its end counts: begun; slot and money; what it cost; the end. */
const STEPS_OF_A_TASK = 4;

/** One line of the table: what, figures, goal. */
type Line = readonly [what: string, bare: string, ours: string, ratio: string, goal: string];

const SWARM = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const COMMANDS: readonly (readonly [name: string, argumentsOf: (round: number) => readonly string[]])[] = [
  ['swarm queue list', () => ['queue', 'list']],
  ['swarm queue list --json', () => ['queue', 'list', '--json']],
  ['swarm queue show', () => ['queue', 'show', 'waiting-50', '--json']],
  ['swarm queue cancel', (round) => ['queue', 'cancel', `waiting-${60 + round}`]],
  ['swarm queue pause', () => ['queue', 'pause']],
  ['swarm enqueue', () => ['enqueue', 'Do nothing', '--agent', 'cervella-bench', '--project', 'acme']],
];

const PARTS: Readonly<Record<string, (scene: QueueScene) => Promise<readonly Line[]>>> = {
  starts: async (scene) => startLines(await measureStarts(scene, Number(options.starts))),
  throughput: measureThroughput,
  memory: measureMemory,
  commands: measureCommands,
};

const scene = await makeQueueScene();
try {
  const lines: Line[] = [];
  for (const part of options.only.split(',')) lines.push(...(await PARTS[part](scene)));
  printTable(lines);
} finally {
  await scene.stop();
}

function startLines({ bare, bareWithAgent, ours }: Starts): readonly Line[] {
  say(`${ours.length} starts of agents`);
  return [
    line('enqueue → agent started, p50', bare, ours, 0.5, ''),
    line('enqueue → agent started, p99', bare, ours, 0.99, '≤ 50 ms'),
    line('the same, bare with a worktree and the agent, p50', bareWithAgent, ours, 0.5, ''),
    line('the same, bare with a worktree and the agent, p99', bareWithAgent, ours, 0.99, ''),
  ];
}

/** Tasks a second from the first that is taken to the last that is in the memory. */
async function measureThroughput(scene: QueueScene): Promise<readonly Line[]> {
  const count = Number(options.tasks);
  const concurrency = Number(options.concurrency);
  say(`${count} empty tasks, ${concurrency} at a time, and as many bare jobs`);
  const plain = await measureBareThroughput(scene.redisUrl, { count, concurrency, payload: {}, options: {} });
  const sameJobs = {
    ...{ count, concurrency, payload: makeTask('bare') },
    options: { priority: 10, removeOnComplete: { age: 604_800, count: 1_000 } },
  };
  const alike = await measureBareThroughput(scene.redisUrl, sameJobs);
  const { redisUrl, memoryPath } = scene;
  const recording = await measureBareRecording(redisUrl, { ...sameJobs, memoryPath });
  const noting = await measureBareRecording(redisUrl, { ...sameJobs, memoryPath, scripts: STEPS_OF_A_TASK });
  const ours = await measureOurThroughput(scene, count, concurrency);
  const perSecond = ({ perSecond: value }: Throughput): string => `${value.toFixed(0)}/s`;
  const cpu = ({ cpuMicroseconds }: Throughput): string => `${cpuMicroseconds.toFixed(0)} µs`;
  const ratio = (bare: Throughput): string => (ours.perSecond / bare.perSecond).toFixed(2);
  const cpuRatio = (bare: Throughput): string => (ours.cpuMicroseconds / bare.cpuMicroseconds).toFixed(1);
  return [
    [`empty tasks, ${count} rows written; bare without recording`, perSecond(plain), perSecond(ours), ratio(plain), ''],
    ['the same, bare with our payload and priorities', perSecond(alike), perSecond(ours), ratio(alike), ''],
    ['the same, bare with recording on', perSecond(recording), perSecond(ours), ratio(recording), '≥ 0.5'],
    [`the same, and ${STEPS_OF_A_TASK} small scripts before it`, perSecond(noting), perSecond(ours), ratio(noting), ''],
    ['CPU time of Node for one, bare with recording', cpu(recording), cpu(ours), cpuRatio(recording), ''],
    ['CPU time of Node for one, bare with those scripts', cpu(noting), cpu(ours), cpuRatio(noting), ''],
  ];
}

async function measureOurThroughput(scene: QueueScene, count: number, concurrency: number): Promise<Throughput> {
  await scene.clear();
  await closeGate(scene.redis, { reason: 'user', text: 'not yet', untilMs: undefined });
  await enqueueMany(scene.queue, count, 'empty');
  const workers = String(concurrency);
  const orchestrator = await startProgram(scene, 'bench/empty-orchestrator.js', {
    env: { WORKERS_MIN: workers, WORKERS_MAX: workers },
  });
  await sleep(3_000);
  await openGates(scene.redis);
  const waiting = redisKey('swarm-tasks', 'prioritized');
  while ((await scene.redis.zcard(waiting)) === count) await sleep(2);
  const [startedMs, cpuBeforeMs] = [performance.now(), orchestrator.cpuMs()];
  while (scene.rows() < count) await sleep(25);
  const [elapsedMs, cpuMs] = [performance.now() - startedMs, orchestrator.cpuMs() - cpuBeforeMs];
  await orchestrator.stop();
  if (scene.rows() !== count) throw new Error(`expected ${count} rows, found ${scene.rows()}`);
  await scene.clear();
  return { perSecond: (count / elapsedMs) * 1_000, cpuMicroseconds: (cpuMs / count) * 1_000 };
}

/** Resident memory of programs that have nothing to do. */
async function measureMemory(scene: QueueScene): Promise<readonly Line[]> {
  await scene.clear();
  const restMs = Number(options['rest-seconds']) * 1_000;
  say(`letting an orchestrator, a whole swarm and a bare worker rest for ${restMs / 1_000} s`);
  const programs = [
    await startProgram(scene, 'bench/bare-worker.js', { args: [scene.redisUrl] }),
    await startProgram(scene, 'orchestrator/main.js'),
    await startProgram(scene, 'cli/main.js', { args: ['up'] }),
  ];
  await sleep(restMs);
  const [bare, orchestrator, up] = programs.map(({ residentMb }) => residentMb());
  for (const program of programs) await program.stop();
  const mb = (value: number): string => `${value.toFixed(0)} MB`;
  return [
    ['orchestrator, resident at rest', mb(bare), mb(orchestrator), (orchestrator / bare).toFixed(2), '≤ 120 MB'],
    ['`swarm up`, resident at rest', mb(bare), mb(up), (up / bare).toFixed(2), ''],
  ];
}

/** Commands while many tasks wait: the slowest of five, from the start of the process to its end. */
async function measureCommands(scene: QueueScene): Promise<readonly Line[]> {
  await scene.clear();
  const count = Number(options.waiting);
  say(`commands with ${count} tasks waiting`);
  await closeGate(scene.redis, { reason: 'user', text: 'not yet', untilMs: undefined });
  await enqueueMany(scene.queue, count, 'waiting');
  const orchestrator = await startProgram(scene, 'orchestrator/main.js');
  const empty = slowest(() => run(scene, process.execPath, ['-e', '0']));
  const measured = COMMANDS.map(([name, argumentsOf]) => {
    const ms = slowest((round) => run(scene, process.execPath, [SWARM, ...argumentsOf(round)]));
    return [name, formatMs(empty), formatMs(ms), (ms / empty).toFixed(1), '≤ 1 s'] as const;
  });
  const scrapes: number[] = [];
  for (let round = 0; round < RUNS_OF_A_COMMAND; round += 1) {
    const startedMs = performance.now();
    await (await fetch(`http://127.0.0.1:${orchestrator.port}/metrics`)).text();
    scrapes.push(performance.now() - startedMs);
  }
  await orchestrator.stop();
  return [...measured, ['a scrape of the orchestrator', '', formatMs(Math.max(...scrapes)), '', '≤ 1 s']];
}

function run({ folder, env }: QueueScene, program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
}

function slowest(work: (round: number) => void): number {
  const times = Array.from({ length: RUNS_OF_A_COMMAND }, (_, round) => {
    const startedMs = performance.now();
    work(round);
    return performance.now() - startedMs;
  });
  return Math.max(...times);
}

function line(what: string, bare: readonly number[], ours: readonly number[], q: number, goal: string): Line {
  const [one, other] = [quantile(bare, q), quantile(ours, q)];
  return [what, formatMs(one), formatMs(other), (other / one).toFixed(1), goal];
}

function quantile(values: readonly number[], q: number): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(q * values.length) - 1];
}

function formatMs(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

function printTable(lines: readonly Line[]): void {
  const rows: readonly (readonly string[])[] = [
    ['figure', 'bare', 'ours', 'ratio', 'goal'],
    ['---', '--:', '--:', '--:', '---'],
    ...lines,
  ];
  for (const cells of rows) console.log(`| ${cells.join(' | ')} |`);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
