import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isSigned } from '../../../scheduler/webhook/signature.ts';
import { type FakePull, fakePull } from '../../support/fake-github.ts';
import { type Delivering, makeGithubScene, payloadOf, sign } from '../../support/github-scene.ts';

const MB = 2 ** 20;
const PULL = fakePull(7, 'a1');
const PAYLOAD = JSON.stringify(payloadOf(PULL));
const with_ = (more: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(payloadOf({ ...PULL, ...more } as FakePull));
const LARGE = `{"action":"opened","x":"${'x'.repeat(30 * MB)}"}`;
const DEEP = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;

test("GitHub's own example of a signature is accepted, and no other", () => {
  const secret = "It's a Secret to Everybody";
  const hex = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const body = Buffer.from('Hello, World!');
  expect(isSigned(body, `sha256=${hex}`, secret)).toBe(true);
  for (const header of [undefined, '', hex, `sha1=${hex}`, `sha256=${hex.slice(2)}`, `sha256=${hex}00`, 'sha256=']) {
    expect(isSigned(body, header, secret), header).toBe(false);
  }
  expect(isSigned(body, `sha256=${hex}`, 'another')).toBe(false);
  expect(isSigned(Buffer.from('Hello, World?'), `sha256=${hex}`, secret)).toBe(false);
});

const REFUSALS: readonly [what: string, body: string, given: Delivering, status: number, said: RegExp][] = [
  ['a missing signature', PAYLOAD, { signature: '' }, 401, /signature/],
  ['a wrong signature', PAYLOAD, { signature: sign(`${PAYLOAD} `) }, 401, /signature/],
  ['a signature by another secret', PAYLOAD, { signature: sign(PAYLOAD, 'another') }, 401, /signature/],
  ['a signature of another length', PAYLOAD, { signature: 'sha256=abcd' }, 401, /signature/],
  ["GitHub's example, which is no JSON", 'Hello, World!', {}, 400, /application\/json/],
  ['a form', `payload=${encodeURIComponent(PAYLOAD)}`, {}, 400, /application\/json/],
  ['a JSON bomb', DEEP, {}, 400, /JSON/],
  ['a bomb within a payload', PAYLOAD.replace(/}$/, `,"bomb":${DEEP}}`), {}, 400, /JSON/],
  ['millions of values', `[${'0,'.repeat(2_000_000)}0]`, {}, 400, /JSON/],
  ['30 MB', LARGE, {}, 413, /25 MB/],
  ['30 MB without a signature', LARGE, { signature: '' }, 413, /25 MB/],
  ['another path', PAYLOAD, { path: '/' }, 404, /nothing here/],
  ['a longer path', PAYLOAD, { path: '/webhooks/github/' }, 404, /nothing here/],
  ['the metrics', PAYLOAD, { path: '/metrics', method: 'GET' }, 404, /nothing here/],
  ['another method', PAYLOAD, { method: 'GET' }, 404, /nothing here/],
  ['a ping', '{"zen":"Keep it logically awesome."}', { event: 'ping' }, 200, /pong/],
  ['another event', '{"ref":"refs/heads/main"}', { event: 'push' }, 200, /event/],
  ['another action', JSON.stringify(payloadOf(PULL, 'labeled')), {}, 200, /action/],
  ['no object', '[1]', {}, 200, /action/],
  ['null', 'null', {}, 200, /action/],
  ['a pull request without a head', with_({ head: null }), {}, 200, /as expected/],
  ['a draft', with_({ draft: true }), {}, 200, /draft/],
  ['a bot', with_({ user: { login: 'dependabot[bot]', type: 'Bot' } }), {}, 200, /bot/],
  ['our own account', with_({ user: { login: 'Swarm-Reviewer', type: 'User' } }), {}, 200, /our own/],
  ['one that is closed', with_({ state: 'closed' }), {}, 200, /not open/],
  ['the end of one that nobody reviews', JSON.stringify(payloadOf(PULL, 'closed')), {}, 200, /no review of it waits/],
  ['a repository nobody has named', PAYLOAD.replaceAll('acme/app', 'other/app'), {}, 200, /projects\.json/],
];

test('what is not signed, too large, no JSON or nothing to review has its status, and nothing is queued', async () => {
  const scene = await makeGithubScene();
  const { samples } = await scene.startHere();
  await vi.waitFor(() => expect(scene.github.requests).toContain('GET /user'), 15_000);
  for (const [what, body, given, status, said] of REFUSALS) {
    const delivered = await scene.deliver(body, given);
    expect([delivered.status, JSON.stringify(delivered.answer)], what).toEqual([status, expect.stringMatching(said)]);
  }
  expect(await scene.queue.list(10)).toEqual([]);
  expect(scene.sql('SELECT * FROM github_deliveries')).toEqual([]);
  expect(scene.sql('SELECT * FROM pull_request_reviews')).toEqual([]);
  const found = await samples();
  const deliveries = (labels: string): number | undefined => found.get(`swarm_webhook_deliveries_total{${labels}}`);
  expect(found.get('swarm_security_events_total{kind="bad-signature"}')).toBe(4);
  expect(deliveries('event="other",outcome="unsigned"')).toBe(4);
  expect(deliveries('event="other",outcome="too-large"')).toBe(2);
  expect(deliveries('event="pull_request",outcome="refused"')).toBe(5);
  expect(deliveries('event="pull_request",outcome="ignored"')).toBe(10);
  expect(deliveries('event="pull_request",outcome="queued"')).toBe(0);
});

test('a body of 30 MB that does not say how long it is is refused as well', async () => {
  const scene = await makeGithubScene();
  await scene.startHere();
  const chunk = Buffer.alloc(MB, 0x20);
  let sent = 0;
  const body = new ReadableStream({
    pull: (controller) => {
      sent += 1;
      if (sent > 30) controller.close();
      else controller.enqueue(chunk);
    },
  });
  const response = await fetch(`http://127.0.0.1:${scene.env.WEBHOOK_PORT}/webhooks/github`, {
    ...{ method: 'POST', body, duplex: 'half' },
    headers: { 'X-Hub-Signature-256': sign(''), 'X-GitHub-Event': 'pull_request' },
  } as RequestInit);
  expect(response.status).toBe(413);
  expect((await scene.deliver({}, { event: 'ping' })).status).toBe(200);
});

test('a Redis that takes connections and never answers keeps nobody waiting', async () => {
  const silent = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const sockets = new Set<{ destroy: () => void }>();
  silent.on('connection', (socket) => sockets.add(socket));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await once(silent, 'close');
  });
  const scene = await makeGithubScene();
  const { port } = silent.address() as { port: number };
  const { stop } = await scene.startHere({}, { REDIS_URL: `redis://127.0.0.1:${port}` });
  const answer = await Promise.race([
    scene.tell(PULL),
    new Promise((resolve) => setTimeout(() => resolve('GitHub has given up'), 10_000)),
  ]);
  expect(answer).toEqual({ status: 202, answer: { status: 'queued' } });
  expect(scene.sql('SELECT state FROM pull_request_reviews')).toEqual([{ state: 'due' }]);
  await stop();
  await scene.startHere();
  scene.sql("UPDATE pull_request_reviews SET next_try_at = '2000'");
  await scene.untilTasks(1);
});
