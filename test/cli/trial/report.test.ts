import { expect, test } from 'vitest';
import { makeReport, type TrialResult } from '../../../cli/trial/report.ts';

const result = (outcome: string | null): TrialResult => ({
  ...{ name: 'read', id: 't-1', state: 'completed', outcome, durationMs: 1_000 },
  ...{ costUsd: 0.01, tokens: 100, branch: null, error: null },
});

test.each<[outcomes: readonly (string | null)[], notBegun: readonly string[], isOk: boolean]>([
  [['ok', 'ok', 'ok'], [], true],
  [['ok', 'budget', 'ok'], [], false],
  [['ok', 'ok', null], [], false],
  // Ctrl-C in the very moment a task ended well.
  [['ok', 'ok'], ['write'], false],
])('outcomes %j with %j not begun: a trial that went well is %j', (outcomes, notBegun, isOk) => {
  const place = { project: 'acme', agent: 'a', notReal: undefined };
  expect(makeReport(place, 0.3, outcomes.map(result), notBegun)).toMatchObject({ isOk, isReal: true });
});
