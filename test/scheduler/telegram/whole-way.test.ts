import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { makePhone } from '../../support/phone-scene.ts';
import { makeScene } from '../../support/swarm-scene.ts';

const PATIENTLY = { timeout: 45_000, interval: 100 };

/** What the fake agent records of a run. */
interface Run {
  readonly args: readonly string[];
  readonly cwd: string;
}

test('a task that is asked for on the phone is done by an agent, and its result comes back', async () => {
  const scene = await makeScene();
  const { api } = await makePhone({ scene });
  const orchestrator = await scene.startOrchestrator();
  api.say('/nuovo cervella-fake acme Prova #fake file=result.txt');
  await api.message(/Quanto può costare/);
  await api.press('0,50 $');
  await vi.waitFor(() => expect(api.messages[0].text).toContain('fino a 0,50 $'), PATIENTLY);
  await api.press('Avvia');
  const done = await vi.waitFor(() => {
    const found = api.messages.find(({ text }) => text.startsWith('✅ Fatto · cervella-fake · acme'));
    expect(found, api.messages.map(({ text }) => text).join('\n\n')).toBeDefined();
    return found;
  }, PATIENTLY);
  expect(done?.text).toMatch(/Ramo swarm\//);
  const [row] = await scene.untilRows(1);
  expect(row).toMatchObject({ event_type: 'task_complete', agent_name: 'cervella-fake', project: 'acme' });
  const before = api.messages.length;
  await api.press('Percorso');
  expect((await api.message(/Percorso/, before)).text).toMatch(/requested: by telegram[\s\S]*ended: ok/);
  await api.press('Registro');
  expect((await api.message(/Registro dell’agente/, before)).file?.name).toMatch(/\.jsonl$/);
  expect(await orchestrator.end()).toEqual([0, null]);
});

test('a failure comes with a button, and tried again it is told again', async () => {
  const scene = await makeScene({ TASK_ATTEMPTS: '1' });
  const { api } = await makePhone({ scene });
  await scene.startOrchestrator();
  await scene.enqueue('Prova #fake outcome=denied');
  const first = await vi.waitFor(() => {
    const found = api.messages.find(({ text }) => text.startsWith('❌'));
    expect(found).toBeDefined();
    return found;
  }, PATIENTLY);
  expect(first?.text).toContain('cervella-fake · acme');
  await api.press('Riprova');
  await api.message(/Riprova: ora è/);
  await vi.waitFor(() => expect(api.messages.filter(({ text }) => text.startsWith('❌'))).toHaveLength(2), PATIENTLY);
});

test('a task waits for its yes over a restart of every room, then it is done', async () => {
  const scene = await makeScene();
  const { api, stop, start } = await makePhone({ scene });
  const first = await scene.startOrchestrator();
  const id = await scene.enqueue('Prova #fake file=result.txt', '--budget-usd', '2.5');
  expect((await scene.show(id)).state).toBe('needs-approval');
  await api.message(/Serve un sì · cervella-fake · acme\nPuò costare fino a 2,50 \$ · chiesto da cli/);
  await stop();
  await first.end();
  await scene.redis.kill();
  await scene.redis.start();
  await scene.startOrchestrator();
  await start();
  expect((await scene.show(id)).state).toBe('needs-approval');
  await api.press('Approva');
  await scene.until(id, 'completed');
  await vi.waitFor(() => expect(api.messages[0].text).toMatch(/^✅ Approvato/), PATIENTLY);
  const [row] = await scene.untilRows(1);
  // A person was needed for it.
  expect(row.tags).not.toContain('"autonomous"');
});

test('an agent that is refused a tool asks on the phone, over a restart of every room, and goes on with it in its session', async () => {
  const scene = await makeScene();
  const { api, stop, start } = await makePhone({ scene });
  const first = await scene.startOrchestrator();
  const record = join(scene.folder, 'agent.jsonl');
  const command = Buffer.from('touch approved.txt').toString('base64url');
  const id = await scene.enqueue(`Prova #fake outcome=denied command=${command} file=began.txt record=${record}`);
  const question = await api.message(/Serve un sì · cervella-fake · acme\n.*\n🔧 Bash\n➡️ Bash\(touch approved\.txt\)/);
  const before = await scene.show(id);
  expect(before).toMatchObject({ state: 'failed', outcome: 'needs-attention', grantedTools: null });
  await stop();
  await first.end();
  await scene.redis.kill();
  await scene.redis.start();
  await scene.startOrchestrator();
  await start();
  await api.press('Approva');
  expect(await scene.until(id, 'completed')).toMatchObject({ outcome: 'ok', sessionId: before.sessionId });
  await vi.waitFor(() => expect(question.text).toMatch(/^✅ Approvato/), PATIENTLY);
  const runs = readFileSync(record, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Run);
  expect(runs).toHaveLength(2);
  expect(runs[1].cwd).toBe(runs[0].cwd);
  expect(runs[1].args.slice(4, 6)).toEqual(['--resume', before.sessionId]);
  const [rulesBefore, rules] = runs.map(({ args }) => args[args.indexOf('--allowedTools') + 1]);
  expect(rules).toBe(`${rulesBefore},Bash(touch approved.txt)`);
  expect(scene.git('ls-tree', '--name-only', `swarm/${id}`)).toBe('README.md\napproved.txt\nbegan.txt');
  const [failed, done] = await scene.untilRows(2);
  expect([failed, done].map(({ task_status, success }) => [task_status, success])).toEqual([
    ['needs-attention', 0],
    ['ok', 1],
  ]);
  // A person was needed for it.
  expect(done.tags).not.toContain('"autonomous"');
}, 90_000);

test('where no phone is, what an agent was refused is shown and granted from a shell, or said to be not grantable', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const ask = async (text: string): Promise<string> => {
    const command = Buffer.from(text).toString('base64url');
    const id = await scene.enqueue(`Prova #fake outcome=denied command=${command}`);
    await scene.until(id, 'failed');
    return id;
  };
  const id = await ask('touch approved.txt');
  const shown = await scene.swarm('queue', 'show', id);
  expect(shown.stdout).toMatch(/^refused +Bash\(touch approved\.txt\) \(swarm queue approve grants it\)$/m);
  const approved = await scene.swarm('queue', 'approve', id, '--json');
  expect(JSON.parse(approved.stdout)).toEqual({ id, state: expect.stringMatching(/^(waiting|active)$/) });
  await scene.until(id, 'completed');
  expect((await scene.swarm('queue', 'show', id)).stdout).toMatch(/^grantedTools +Bash\(touch approved\.txt\)$/m);
  const piped = await ask('touch a | sh');
  const refused = await scene.swarm('queue', 'approve', piped);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining('no rule for it that covers nothing more'),
  ]);
});

test('where no phone is, a dear task says what it waits for, and is approved from a shell', async () => {
  const scene = await makeScene({ APPROVAL_ABOVE_USD: '1' });
  const args = ['--agent', 'cervella-fake', '--project', 'acme', '--budget-usd'];
  const { stdout, stderr } = await scene.swarm('enqueue', 'Prova', ...args, '1.5');
  const { id, state } = JSON.parse(stdout) as { id: string; state: string };
  expect(state).toBe('needs-approval');
  expect(stderr).toContain('swarm queue approve ID');
  const cheap = await scene.swarm('enqueue', 'Prova', ...args, '1');
  expect(JSON.parse(cheap.stdout)).toMatchObject({ state: 'waiting' });
  const approved = await scene.swarm('queue', 'approve', id, '--json');
  expect(JSON.parse(approved.stdout)).toEqual({ id, state: 'waiting' });
});
