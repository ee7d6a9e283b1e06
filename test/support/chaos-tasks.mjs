// What the agents of `npm run chaos` do: drawn at random, the same for the same seed.

/**
 * What can happen to a task, and how often: [share, directives of the fake agent].
 * @type {readonly (readonly [number, (random: () => number, state: string) => string])[]}
 */
const BEHAVIOURS = [
  [0.4, (random) => `ms=${Math.round(50 + random() * 800)}`],
  [0.16, (random) => `ms=${Math.round(2_500 + random() * 3_500)}`],
  [0.1, (_, state) => `outcome=crash fail-first=1 state=${state}`],
  [0.03, () => 'outcome=crash'],
  [0.06, (_, state) => `outcome=kill ms=300 fail-first=1 state=${state}`],
  [0.07, () => 'outcome=denied'],
  [0.04, () => 'outcome=budget'],
  [0.03, () => 'outcome=max-turns'],
  [0.05, () => 'child ignore-term ms=300'],
  [0.02, () => 'outcome=garbage'],
  [0.03, (_, state) => `outcome=overloaded fail-first=1 state=${state}`],
  [0.01, (_, state) => `outcome=rate-limited reset-in=1 fail-first=1 state=${state}`],
];

/**
 * Numbers from 0 to 1 that look random (mulberry32).
 * @param {number} seed
 */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Tasks of the fake agent, in two projects; each costs a whole number of microdollars a run.
 * @param {{ count: number, random: () => number, state: string, projects: readonly string[] }} options
 */
export function drawTasks({ count, random, state, projects }) {
  // Unlike those of another run: agents are found by the id of their task.
  const run = `chaos-${process.pid}-${Date.now().toString(36)}`;
  return Array.from({ length: count }, (_, index) => {
    const costMicroUsd = Math.round(1_000 + random() * 20_000);
    const directives = `#fake ${drawBehaviour(random, state)} cost=${costMicroUsd / 1e6}`;
    return {
      costMicroUsd,
      task: {
        version: 1,
        id: `${run}-${index}`,
        prompt: `Task ${index}. ${directives}`,
        agent: 'cervella-fake',
        project: projects[Math.floor(random() * projects.length)],
        priority: random() < 0.2 ? 'high' : 'normal',
        budgetUsd: 0.5,
        timeoutMs: 60_000,
        source: 'chaos',
        approval: 'not-needed',
        requestedAt: new Date().toISOString(),
      },
    };
  });
}

/**
 * @param {() => number} random
 * @param {string} state
 */
function drawBehaviour(random, state) {
  let left = random() * BEHAVIOURS.reduce((sum, [share]) => sum + share, 0);
  const found = BEHAVIOURS.find(([share]) => {
    left -= share;
    return left < 0;
  });
  return (found ?? BEHAVIOURS[0])[1](random, state);
}
