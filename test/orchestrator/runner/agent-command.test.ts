import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentArguments } from '../../../orchestrator/runner/agent-arguments.ts';
import { checkAgentCommand, parseAgentCommand } from '../../../orchestrator/runner/agent-command.ts';
import { FAKE_AGENT, findRealAgent, makeRunPlace, processesOf, writeProgram } from '../../support/agent-runs.ts';

test('a command is a program, whose path may hold blanks, or a program with arguments', () => {
  const place = makeRunPlace();
  const folder = join(place.scratch, 'my programs');
  mkdirSync(folder);
  renameSync(writeProgram(place, 'exit 0'), join(folder, 'my agent'));
  renameSync(writeProgram(place, 'exit 0', 0o644), join(folder, 'no agent'));
  const parse = (text: string): unknown => parseAgentCommand(text, `/no/such/folder:${folder}`);
  expect(parse('claude')).toEqual({ program: 'claude', args: [] });
  expect(parse('my agent')).toEqual({ program: 'my agent', args: [] });
  expect(parse(' my agent ')).toEqual({ program: 'my agent', args: [] });
  expect(parse(`${folder}/my agent`)).toEqual({ program: `${folder}/my agent`, args: [] });
  expect(parse('no agent')).toEqual({ program: 'no', args: ['agent'] });
  expect(parse('node  /x/fake.mjs --slow')).toEqual({ program: 'node', args: ['/x/fake.mjs', '--slow'] });
  expect(parseAgentCommand('my agent', undefined)).toEqual({ program: 'my', args: ['agent'] });
});

test('a program that answers --version is one, whatever it says', async () => {
  const place = makeRunPlace();
  await checkAgentCommand({ program: process.execPath, args: [FAKE_AGENT] }, place.environment);
  await checkAgentCommand({ program: findRealAgent(), args: [] }, place.environment);
  const program = writeProgram(
    place,
    '[ "$*" = "first --version" ] || exit 9; yes | head -c 1000000; yes | head -c 1000000 >&2',
  );
  await checkAgentCommand({ program, args: ['first'] }, place.environment);
});

test.each<[what: string, text: string | undefined, mode: number, reason: RegExp]>([
  ['is not there', undefined, 0, /"no-such-agent": there is no such program\./],
  ['may not be run', 'exit 0', 0o644, /cannot be started \(EACCES\)/],
  ['fails', 'exit 7', 0o755, /ended with exit code 7/],
  ['is killed', 'kill -9 $$', 0o755, /ended with SIGKILL/],
])('a program that %s is named, with what to do', async (_, text, mode, reason) => {
  const place = makeRunPlace();
  const program = text === undefined ? 'no-such-agent' : writeProgram(place, text, mode);
  const check = checkAgentCommand({ program, args: [] }, place.environment);
  await expect(check).rejects.toThrow(reason);
  await expect(check).rejects.toMatchObject({ hint: expect.stringMatching(/Install Claude Code.*AGENT_COMMAND/) });
});

test('a program that does not answer is given up after 10 s, with all it has started', async () => {
  const place = makeRunPlace();
  const program = writeProgram(place, 'trap "" TERM; sleep 600 & sleep 600');
  const environment = { ...place.environment, SWARM_RUN_ID: 'check-command' };
  await expect(checkAgentCommand({ program, args: [] }, environment)).rejects.toThrow('within 10 s');
  await expect.poll(() => processesOf('check-command')).toEqual([]);
});

test('the arguments of a run', () => {
  const args = agentArguments({ session: { id: 'S', isResumed: false } });
  expect(args.slice(0, 8)).toEqual([
    ...['-p', '--output-format', 'stream-json', '--verbose', '--session-id', 'S', '--permission-mode', 'dontAsk'],
  ]);
  expect(args.slice(8)).toEqual([
    '--allowedTools',
    expect.stringMatching(/^Read,Edit\(\.\/\*\*\),.*Bash\(npm test:\*\)/),
  ]);
  const resumed = agentArguments({
    session: { id: 'S', isResumed: true },
    ...{ agent: 'cervella-backend', model: 'opus', maxBudgetUsd: 0.5 },
  });
  expect(resumed.slice(4, 12)).toEqual([
    ...['--resume', 'S', '--agent', 'cervella-backend', '--model', 'opus', '--max-budget-usd', '0.5000'],
  ]);
});

test('what a task was granted is added to what every agent may use; a review gets none of it', () => {
  const session = { id: 'S', isResumed: true };
  const grantedTools = ['Bash(npm ci)', 'WebSearch'];
  expect(agentArguments({ session, grantedTools }).at(-1)).toBe(
    `${agentArguments({ session }).at(-1)},Bash(npm ci),WebSearch`,
  );
  expect(agentArguments({ session, grantedTools, isReview: true })).toEqual(
    agentArguments({ session, isReview: true }),
  );
});

test.each([
  [1e-9, '0.0001'],
  [0, '0.0001'],
  [1_000, '1000.0000'],
])('a budget of %d is written as %s', (maxBudgetUsd, text) => {
  expect(agentArguments({ session: { id: 'S', isResumed: false }, maxBudgetUsd })).toContain(text);
});
