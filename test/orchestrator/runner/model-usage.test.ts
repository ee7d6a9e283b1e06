import { expect, test } from 'vitest';
import { type ModelUsage, ownUsage, type SessionTotals } from '../../../orchestrator/runner/model-usage.ts';

const used = (input: number, output: number, costUsd?: number, model = 'opus'): ModelUsage => ({
  model,
  tokens: { input, output, cacheRead: input * 10, cacheCreation: 0 },
  ...(costUsd === undefined ? {} : { costUsd }),
});
const said = (...usage: readonly ModelUsage[]): SessionTotals => ({
  totalCostUsd: usage.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0),
  usage,
});
/** What the messages of a run of 1,000 tokens show: input exactly, output too low. */
const SEEN = [used(1_000, 1)];

test.each<[what: string, said: SessionTotals, before: SessionTotals | undefined, own: SessionTotals]>([
  ['a session that begins', said(used(1_000, 100, 0.25)), undefined, said(used(1_000, 100, 0.25))],
  ['totals of the session', said(used(3_000, 300, 0.75)), said(used(2_000, 200, 0.5)), said(used(1_000, 100, 0.25))],
  ['totals of the run alone', said(used(1_000, 100, 0.25)), said(used(2_000, 200, 0.5)), said(used(1_000, 100, 0.25))],
  [
    'the run alone, dearer than all before',
    said(used(1_000, 100, 9)),
    said(used(500, 50, 0.5)),
    said(used(1_000, 100, 9)),
  ],
  ['a session that had cost nothing', said(used(1_000, 100, 0.25)), said(), said(used(1_000, 100, 0.25))],
  [
    'a run between them whose figures were not told',
    said(used(4_000, 400, 1)),
    said(used(2_000, 200, 0.5)),
    said(used(2_000, 200, 0.5)),
  ],
  [
    'another model than before',
    said(used(2_000, 200, 0.5), used(1_000, 100, 0.25, 'haiku')),
    said(used(2_000, 200, 0.5)),
    said(used(1_000, 100, 0.25, 'haiku')),
  ],
])('%s', (_, total, before, own) => {
  expect(ownUsage(total, SEEN, before)).toEqual(own);
});
