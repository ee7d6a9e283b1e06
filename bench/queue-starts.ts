import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { redisKey } from '../lib/queue/names.ts';
import { measureBareStarts } from './bare-queue.ts';
import { makeTask, type QueueScene, startProgram } from './queue-scene.ts';

/** Milliseconds from a wish to the start of what is to be done, each. */
export interface Starts {
  /** From BullMQ's `add` to the start of its processor. */
  readonly bare: readonly number[];
  /** The same, and the processor makes a worktree with one git command and starts the agent: to the agent's first output. */
  readonly bareWithAgent: readonly number[];
  /** From `enqueue` to the first act of the agent's process: it looks at the clock. */
  readonly ours: readonly number[];
}

const WARM_UP = 20;
/** What follows an end (its row, its slot) is over by then: the next task finds nothing to do. */
const AFTER_END_MS = 50;

const run = promisify(execFile);

/** Starts bare jobs and agents one after the other, so that none waits for another. */
export async function measureStarts(scene: QueueScene, count: number): Promise<Starts> {
  const { redisUrl, agent, project, folder } = scene;
  const withAgent = async (job: number): Promise<void> => {
    const path = join(folder, 'bare', String(job));
    await run('git', ['-C', project, 'worktree', 'add', '--quiet', '-b', `bare-${job}`, path]);
    await untilFirstOutput(agent);
  };
  const all = {
    bare: await measureBareStarts(redisUrl, count + WARM_UP),
    ours: await measureOurStarts(scene, count + WARM_UP),
    // Last: the worktrees that it leaves would slow down every git command in that repository.
    bareWithAgent: await measureBareStarts(redisUrl, count + WARM_UP, withAgent),
  };
  return {
    bare: all.bare.slice(WARM_UP),
    bareWithAgent: all.bareWithAgent.slice(WARM_UP),
    ours: all.ours.slice(WARM_UP),
  };
}

async function measureOurStarts(scene: QueueScene, count: number): Promise<number[]> {
  const orchestrator = await startProgram(scene, 'orchestrator/main.js');
  const enqueuedMs = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const id = `start-${index}`;
    enqueuedMs.set(id, performance.timeOrigin + performance.now());
    await scene.queue.enqueue(makeTask(id));
    while ((await scene.redis.hexists(redisKey('task', id), 'end')) === 0) await sleep(5);
    await sleep(AFTER_END_MS);
  }
  await orchestrator.stop();
  const times = readStarts(scene.folder)
    .filter(({ id }) => enqueuedMs.has(id))
    .map(({ id, atMs }) => atMs - (enqueuedMs.get(id) ?? 0));
  if (times.length !== count) throw new Error(`expected ${count} starts, found ${times.length}`);
  return times;
}

/** What the agents wrote down; bare ones have no task. */
function readStarts(folder: string): readonly { readonly id: string; readonly atMs: number }[] {
  const lines = readFileSync(join(folder, 'starts'), 'utf8').trimEnd().split('\n');
  return lines.map((each) => {
    const [id, seconds] = each.split(' ');
    return { id, atMs: Number(seconds) * 1_000 };
  });
}

function untilFirstOutput(program: string): Promise<void> {
  const child = spawn(program, [], { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    child.stdout.once('data', () => resolve());
  });
}
