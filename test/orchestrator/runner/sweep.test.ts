import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import {
  isOwnerGone,
  type Marker,
  markerVariables,
  parseMarker,
  parseStat,
  processOwner,
} from '../../../orchestrator/runner/marker.ts';
import {
  chooseProcesses,
  type FoundProcess,
  isOrphan,
  sweepProcesses,
  sweepTask,
} from '../../../orchestrator/runner/sweep.ts';
import { endWithTest, isAlive, makeRunPlace } from '../../support/agent-runs.ts';

const [SPACE, OWN_PID] = processOwner().split(':');
const NOBODY = 4_194_303;

/** A process in a session of its own, as an agent's tools start them. */
function start(marker: Record<string, string>, code = 'setInterval(() => {}, 1000)'): Promise<number> {
  const child = spawn(process.execPath, ['-e', `${code}; console.log('up')`], {
    env: { ...makeRunPlace().environment, ...marker },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  endWithTest(child.pid!);
  return once(child.stdout, 'data').then(() => child.pid!);
}

test('what a task left running is ended on request, and what another task runs is not', async () => {
  const [one, other, unmarked] = await Promise.all([
    start(markerVariables({ taskId: 'sweep-1', runId: 'sweep-run-1' })),
    start(markerVariables({ taskId: 'sweep-10', runId: 'sweep-run-10' })),
    start({ TASK: 'SWARM_TASK_ID=sweep-1' }),
  ]);
  expect(await sweepTask('sweep-1')).toBe(1);
  expect([one, other, unmarked].map(isAlive)).toEqual([false, true, true]);
  expect(await sweepTask('sweep-1')).toBe(0);
});

test('what ignores SIGTERM is killed, and what it starts meanwhile as well', async () => {
  const marker = markerVariables({ taskId: 'sweep-2', runId: 'sweep-run-2' });
  const again = "require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })";
  await Promise.all([
    start(marker, "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"),
    start(marker, `process.on('SIGTERM', () => { ${again}; process.exit() }); setInterval(() => {}, 1000)`),
  ]);
  const match = ({ runId }: Marker): boolean => runId === 'sweep-run-2';
  expect(await sweepProcesses({ match, killMs: 500 })).toBe(3);
  expect(await sweepProcesses({ match, killMs: 500 })).toBe(0);
});

test('the first signal can be another', async () => {
  const marker = markerVariables({ taskId: 'sweep-3', runId: 'sweep-run-3' });
  await start(marker, "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
  // The test would run into its own time limit.
  const match = ({ runId }: Marker): boolean => runId === 'sweep-run-3';
  expect(await sweepProcesses({ match, killMs: 600_000, signalFirst: 'SIGINT' })).toBe(1);
});

test('agents of orchestrators that are no more are told from all others', async () => {
  const marker = (run: string, owner: string): Record<string, string> => ({
    ...markerVariables({ taskId: 'sweep-4', runId: `sweep-run-4-${run}` }),
    SWARM_OWNER: owner,
  });
  const pids = await Promise.all([
    start(marker('gone', `${SPACE}:${NOBODY}:1`)),
    start(marker('reused', `${SPACE}:${OWN_PID}:1`)),
    start(marker('living', processOwner())),
    start(marker('elsewhere', `other-1:${NOBODY}:1`)),
    start(marker('without', '')),
    start({}),
  ]);
  // Not all orphans of the machine: other tests leave some to be found by what they test.
  const match = (each: Marker): boolean => each.taskId === 'sweep-4' && isOrphan(each);
  expect(await sweepProcesses({ match, killMs: 5_000 })).toBe(2);
  expect(pids.map(isAlive)).toEqual([false, false, true, true, true, true]);
});

test.each<[owner: string, isGone: boolean]>([
  [processOwner(), false],
  [`${SPACE}:${NOBODY}:1`, true],
  [`${SPACE}:${OWN_PID}:1`, true],
  [`other-1:${NOBODY}:1`, false],
  [`:${NOBODY}:1`, false],
  [`${SPACE}:../1:1`, false],
  [SPACE, false],
  ['', false],
])('the owner "%s"', (owner, isGone) => {
  expect(isOwnerGone(owner)).toBe(isGone);
});

const found = (pid: number, parent: number, runId?: string): FoundProcess => ({
  ...{ pid, parent, startTicks: '1' },
  marker: { taskId: 'task', runId, owner: undefined },
});

test('we spare ourselves, what we descend from, and the agent that may have started us', () => {
  const all = [
    found(1, 0),
    found(10, 1, 'outer'),
    found(11, 10, 'outer'),
    found(12, 10, 'outer'),
    found(13, 11, 'inner'),
    found(14, 1, 'inner'),
    found(15, 1),
    // A loop, as numbers that are used again can make one.
    found(16, 17, 'inner'),
    found(17, 16, 'inner'),
  ];
  const chosen = (ownPid: number): number[] => chooseProcesses(all, ownPid, () => true).map(({ pid }) => pid);
  expect(chosen(11)).toEqual([13, 14, 16, 17]);
  expect(chosen(13)).toEqual([12]);
  expect(chosen(15)).toEqual([10, 11, 12, 13, 14, 16, 17]);
  expect(chosen(16)).toEqual([10, 11, 12]);
});

test('an environment and a line of /proc/PID/stat are read as they are', () => {
  expect(parseMarker('A=1\0SWARM_RUN_ID=r=1\0SWARM_TASK_ID=t\0XSWARM_OWNER=x\0')).toEqual({
    ...{ taskId: 't', runId: 'r=1', owner: undefined },
  });
  const stat = `42 (a) S ) (b) S 7 ${Array.from({ length: 17 }, (_, index) => index).join(' ')} 12345 0 0`;
  expect(parseStat(stat)).toEqual({ parent: 7, startTicks: '12345' });
  expect(parseStat('')).toBeUndefined();
});
