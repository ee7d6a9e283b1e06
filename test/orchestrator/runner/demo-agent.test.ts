import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { agentArguments } from '../../../orchestrator/runner/agent-arguments.ts';
import { makeRunPlace, runIn } from '../../support/agent-runs.ts';

const DEMO_AGENT = fileURLToPath(new URL('../../../dist/orchestrator/runner/demo-agent.js', import.meta.url));
const SESSION = '0b0f8f4e-3c55-4a55-8b5e-5b1c4a5e0c11';

test.each([false, true])('the demo agent does its work as the real one would (resumed: %s)', async (isResumed) => {
  const place = makeRunPlace();
  const args = [DEMO_AGENT, ...agentArguments({ session: { id: SESSION, isResumed }, agent: 'demo', maxBudgetUsd: 1 })];
  const end = await runIn(place, `Say hello\nin two lines ${'x'.repeat(1_000)}`, { args });
  expect(end).toMatchObject({
    ...{ outcome: 'ok', sessionId: SESSION, costUsd: 0, turns: 1, resultText: 'Wrote swarm-demo.md.' },
    usage: [{ model: 'demo', tokens: { input: 0, output: 0, cacheRead: 0, cacheCreation: 0 }, costUsd: 0 }],
  });
  expect(readdirSync(place.cwd)).toEqual(['swarm-demo.md']);
  expect(readFileSync(join(place.cwd, 'swarm-demo.md'), 'utf8')).toBe(
    `# Demo\n\nAn agent was asked:\n\n> Say hello\n> in two lines ${'x'.repeat(200 - 23)}\n`,
  );
});

test('the demo agent can be asked for its version', () => {
  expect(String(execFileSync(process.execPath, [DEMO_AGENT, '--version']))).toMatch(/^\d+\.\d+\.\d+ \(demo agent\)\n$/);
});
