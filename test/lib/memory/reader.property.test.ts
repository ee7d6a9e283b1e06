import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../lib/memory/demo/random.ts';
import { makeMemory } from '../../support/memory-builder.ts';
import { figuresOf, openReader } from '../../support/memory-figures.ts';
import { createTestClock } from '../../support/memory-values.ts';
import { CALM, createWriter, type Life, tidy, WILD } from '../../support/random-memory.ts';

type Figures = ReturnType<typeof figuresOf>;

/** Grows a memory and reads it, again and again; gives what a long-lived reader and new ones saw, once all had settled. */
async function readAndGrow(seed: number, journalMode: string, life: Life) {
  const random = createRandom(seed);
  const clock = createTestClock();
  const memory = makeMemory({ hasUsage: true, journalMode });
  const nextBatch = createWriter(random, life);
  const longLived = openReader(memory.path, clock);
  const seen: { known: Figures; fresh: Figures }[] = [];
  for (let growth = 0; growth < 40; growth += 1) {
    memory.events(...nextBatch(clock.nowMs()));
    tidy(memory, random, clock.nowMs(), life);
    await longLived.read(figuresOf);
    clock.pass(random.pick([0, 500, 1_000, 2_999, 3_000, 5_000]));
    if (random.chance(0.6)) continue;
    const newcomer = openReader(memory.path, clock);
    await newcomer.read(figuresOf);
    clock.pass(4_000);
    seen.push({ known: await longLived.read(figuresOf), fresh: await newcomer.read(figuresOf) });
    newcomer.close();
    clock.pass(random.pick(life.pausesMs));
    clock.setTo(clock.nowMs() - random.pick(life.setBackMs));
  }
  return seen;
}

const lives = [
  ['calm', 1, 'WAL', CALM],
  ['calm', 2, 'WAL', CALM],
  ['calm', 3, 'DELETE', CALM],
  ['calm', 4, 'WAL', CALM],
  ['wild', 5, 'WAL', WILD],
  ['wild', 6, 'DELETE', WILD],
  ['wild', 7, 'WAL', WILD],
] as const;

describe.each(lives)('a reader that saw a %s life (seed %i, journal %s)', (_, seed, journalMode, life) => {
  test('knows the same as one that reads for the first time', async () => {
    const seen = await readAndGrow(seed, journalMode, life);
    const settled = (figures: Figures) => ({ ...figures, lastTasks: {}, inProgress: {} });
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.at(-1)?.known.rows).toBeGreaterThan(100);
    expect(seen.map(({ known }) => settled(known))).toEqual(seen.map(({ fresh }) => settled(fresh)));
  });
});

test.each(lives.slice(1, 3))(
  'a reader that saw a %s life knows the last task of every agent (seed %i)',
  async (_, ...life) => {
    const seen = await readAndGrow(...life);
    expect(seen.map(({ known }) => known.lastTasks)).toEqual(seen.map(({ fresh }) => fresh.lastTasks));
  },
);

test.each(lives.slice(1, 3))('a reader that saw a %s life knows what is in progress (seed %i)', async (_, ...life) => {
  const seen = await readAndGrow(...life);
  expect(seen.map(({ known }) => known.inProgress)).toEqual(seen.map(({ fresh }) => fresh.inProgress));
});
