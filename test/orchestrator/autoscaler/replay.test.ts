import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Decision, decide } from '../../../orchestrator/autoscaler/decide.ts';
import { DEFAULT_TARGETS } from '../../../orchestrator/autoscaler/demand.ts';
import { type Sample, samplesInWindow } from '../../../orchestrator/autoscaler/samples.ts';
import { DEFAULT_HEADROOM } from '../../../orchestrator/autoscaler/saturation.ts';
import type { DecisionInputs } from '../../../orchestrator/autoscaler/scene.ts';
import { MINUTE, NOW, sampleAt } from './builders.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-replay-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a night brings: from each minute on, until the next, every sample is like this. `perWorker` tasks run on each worker. */
const NIGHT: Readonly<Record<number, Partial<Sample> & { readonly perWorker: number }>> = {
  0: { perWorker: 0 },
  2: { perWorker: 1, waitingTasks: 5, cpuRatio: 0.3 },
  9: { perWorker: 1, waitingTasks: 4, cpuRatio: 0.5, availableBytes: 900e6 },
  14: { perWorker: 1, waitingTasks: 3, cpuRatio: 0.95, memoryRatio: 0.9, memoryFullAvg10: 4, availableBytes: 500e6 },
  15: { perWorker: 1, waitingTasks: 3, cpuRatio: 0.3 },
  17: { perWorker: 1, waitingTasks: 3, cpuRatio: 0.3, overloadedAnswers: 1 },
  18: { perWorker: 1, waitingTasks: 3, cpuRatio: 0.3 },
  24: { perWorker: 0, cpuRatio: 0.9, memoryRatio: 0.8 },
};

/** Lives through the night, a sample every 15 s and a decision every minute. */
function liveThrough(minutes: number): readonly Decision[] {
  const decisions: Decision[] = [];
  let [workers, samples, memory]: [number, readonly Sample[], DecisionInputs['memory']] = [
    1,
    [],
    { lastChangeMs: undefined, idleSinceMs: undefined },
  ];
  let now = NIGHT[0];
  for (let beat = 0; beat <= minutes * 4; beat += 1) {
    const nowMs = NOW + beat * 15_000;
    now = NIGHT[beat / 4] ?? now;
    const { perWorker, ...extra } = now;
    samples = [...samplesInWindow(samples, nowMs), sampleAt(nowMs, { ...extra, activeTasks: perWorker * workers })];
    if (beat % 4 !== 0) continue;
    const inputs = { nowMs, workers, limits: { min: 1, max: 4 }, samples, memory };
    const decision = decide({ ...inputs, targets: DEFAULT_TARGETS, headroom: DEFAULT_HEADROOM });
    decisions.push(decision);
    ({ target: workers, memory } = decision);
  }
  return decisions;
}

/** The minutes in which the number of workers or the veto became another, as `minute: workers, veto: reason`. */
function chronicle(decisions: readonly Decision[]): readonly string[] {
  return decisions.flatMap(({ target, veto, reason, inputs }, index) => {
    const before = decisions[index - 1];
    if (before && before.target === target && before.veto === veto) return [];
    return [`${(inputs.nowMs - NOW) / MINUTE}: ${target}, ${veto ?? '-'}: ${reason}`];
  });
}

test('a night goes as it should', () => {
  expect(chronicle(liveThrough(36))).toEqual([
    '0: 1, -: Still 1 worker: a signal of 0.13 asks for 0, and allowed are 1 to 4.',
    '2: 2, -: From 1 to 2 workers: waiting work (signal 0.22) asks for 2.',
    '7: 3, -: From 2 to 3 workers: waiting work (signal 0.97) asks for 3.',
    '9: 3, memory_available: Still 3 workers: waiting work (signal 0.93) asks for 4, but 900 MB of memory are available, too few for the reserve of 400 MB and an agent of 700 MB.',
    '14: 2, memory_pressure: From 3 to 2 workers: every process waited for memory 4.0 % of the last 10 s (limit 1 %).',
    '15: 2, -: Still 2 workers: a signal of 1.11 asks for 3, but 240 s of the cooldown are left.',
    '17: 1, overloaded_answers: From 2 to 1 worker: the model API answered 429 or 529 since the last change: 1.',
    '23: 2, -: From 1 to 2 workers: waiting work (signal 0.77) asks for 2.',
    '34: 1, -: From 2 to 1 worker: nothing ran or waited for 10 minutes.',
  ]);
});

test('every decision can be made again from its record on disk', () => {
  const file = join(folder, 'decisions.jsonl');
  const decisions = liveThrough(36);
  writeFileSync(file, decisions.map((decision) => `${JSON.stringify(decision)}\n`).join(''));
  const records = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(records).toHaveLength(37);
  for (const record of records) {
    const { inputs, ...decided } = JSON.parse(record) as Decision;
    expect(JSON.parse(JSON.stringify(decide(inputs)))).toEqual({ ...decided, inputs });
  }
});
