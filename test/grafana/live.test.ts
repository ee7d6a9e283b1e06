import { expect, test } from 'vitest';
import type { QueryOutcome } from '../support/prometheus-with-jobs.ts';
import { DASHBOARDS, expressionsOf, otherExpressionsOf, substitute } from './dashboard-files.ts';
import { startDemoStack } from './demo-stack.ts';

/** Panels that show nothing although all is there, and why. */
const EMPTY_BY_DESIGN: Readonly<Record<string, string>> = {};

test('a real Prometheus has an answer to every question of every panel', async () => {
  const { ask } = await startDemoStack();
  const asked = DASHBOARDS.flatMap((dashboard) => [...expressionsOf(dashboard), ...otherExpressionsOf(dashboard)]);
  const wrong: string[] = [];
  for (const { where, expr } of asked) {
    const outcome = await ask(substitute(expr));
    const fault = faultOf(outcome, EMPTY_BY_DESIGN[where]);
    if (fault) wrong.push(`${where}: ${fault}\n  ${expr}`);
  }
  expect(wrong.join('\n')).toBe('');
  expect(Object.keys(EMPTY_BY_DESIGN).filter((each) => !asked.some(({ where }) => where === each))).toEqual([]);
}, 120_000);

function faultOf(outcome: QueryOutcome, reasonToBeEmpty: string | undefined): string | undefined {
  if ('error' in outcome) return outcome.error;
  // NaN and infinity are not figures.
  const { length } = outcome.values.filter(Number.isFinite);
  if (length === 0 && reasonToBeEmpty === undefined) return 'nothing';
  if (length > 0 && reasonToBeEmpty !== undefined) return `said to be empty (${reasonToBeEmpty}), and is not`;
  if (length < outcome.values.length) return 'not a number among the values';
  return undefined;
}
