import { expect, test } from 'vitest';
import { agentsInNeed, bestAgents, unjudgedAgents } from '../../../scheduler/retro/assess.ts';
import { agentValue } from '../../support/retro-values.ts';

const names = (agents: readonly { readonly agent: string }[]): readonly string[] => agents.map(({ agent }) => agent);

test('the best agent is the one whose success is the surest', () => {
  const agents = [
    agentValue('five-of-five', { success: 5 }),
    agentValue('all-of-twenty', { success: 20 }),
    agentValue('most-of-fifty', { tasks: 50, success: 48, failed: 2 }),
    agentValue('below-target', { success: 16, failed: 4 }),
    agentValue('often-mended', { success: 20, fixed: 5 }),
    agentValue('four-of-four', { success: 4 }),
  ];
  expect(names(bestAgents(agents))).toEqual(['most-of-fifty', 'all-of-twenty', 'five-of-five']);
});

test.each([
  ['failures', { success: 8, failed: 2 }, [{ kind: 'failures', count: 2, of: 10 }]],
  ['failures alone, however few', { tasks: 3, success: 0, failed: 3 }, [{ kind: 'failures', count: 3, of: 3 }]],
  ['fixes', { fixed: 3 }, [{ kind: 'fixes', count: 3, of: 10 }]],
  ['retries', { retried: 2 }, [{ kind: 'retries', count: 2, of: 10 }]],
  ['long tasks', { meanSeconds: 601, withDuration: 3 }, [{ kind: 'slow', seconds: 601 }]],
  ['waste', { usd: 1, wastedUsd: 0.4 }, [{ kind: 'waste', wastedUsd: 0.4, usd: 1 }]],
])('an agent needs help for its %s', (_, extra, troubles) => {
  expect(agentsInNeed([agentValue('a', extra)])).toEqual([{ agent: 'a', troubles }]);
});

test.each([
  ['a single failure', { success: 5, failed: 1 }],
  ['failures among too few', { success: 2, failed: 2 }],
  ['two long tasks', { meanSeconds: 2_000, withDuration: 2 }],
  ['the waste of a few cents', { usd: 0.09, wastedUsd: 0.09 }],
])('%s says nothing against an agent', (_, extra) => {
  expect(agentsInNeed([agentValue('a', extra)])).toEqual([]);
});

test('who failed most comes first', () => {
  const agents = [
    agentValue('mended', { fixed: 9 }),
    agentValue('failing', { success: 5, failed: 3 }),
    agentValue('failing-more', { success: 5, failed: 5 }),
  ];
  expect(names(agentsInNeed(agents))).toEqual(['failing-more', 'failing', 'mended']);
});

test('rows that say not who it was are nobody: neither best nor in need', () => {
  const nobody = ['subagent', 'unknown', 'other'].map((name) => agentValue(name, { success: 50, fixed: 9 }));
  expect([bestAgents(nobody), agentsInNeed(nobody)]).toEqual([[], []]);
});

test('an agent of which fewer than 5 outcomes are known is not judged', () => {
  const agents = [agentValue('a', { success: 4, unknown: 90 }), agentValue('b', { success: 3, failed: 2 })];
  expect(names(unjudgedAgents(agents))).toEqual(['a']);
});
