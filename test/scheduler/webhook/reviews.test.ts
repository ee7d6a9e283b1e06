import { expect, test, vi } from 'vitest';
import { fakePull } from '../../support/fake-github.ts';
import { makeGithubScene } from '../../support/github-scene.ts';

test('strangers, forks and authors of whom nothing is known wait for a person; members of the repository do not', async () => {
  const scene = await makeGithubScene({ REVIEWS_PER_DAY: '10' });
  await scene.startHere({ debounceMs: 600_000 });
  const other = { full_name: 'stranger/app' };
  const head = (begin: string, repo: { full_name: string } | null) => ({ ...fakePull(1, begin).head, repo });
  await scene.tell(fakePull(1, 'a1'));
  await scene.tell(fakePull(2, 'a2', { author_association: 'COLLABORATOR' }));
  await scene.tell(fakePull(3, 'a3', { author_association: 'CONTRIBUTOR' }));
  await scene.tell(fakePull(4, 'a4', { author_association: undefined }));
  await scene.tell(fakePull(5, 'a5', { head: head('a5', other) }));
  await scene.tell(fakePull(6, 'a6', { head: head('a6', null) }));
  const tasks = await scene.untilTasks(6);
  const states = Object.fromEntries(
    tasks.map(({ task, state }) => [/pull request (\d)/.exec(task?.prompt ?? '')?.[1], state]),
  );
  expect(states).toEqual({
    ...{ 1: 'delayed', 2: 'delayed', 3: 'needs-approval', 4: 'needs-approval' },
    ...{ 5: 'needs-approval', 6: 'needs-approval' },
  });
});

test('nothing a stranger wrote is in the prompt; it is data between marks nobody can know', async () => {
  const scene = await makeGithubScene();
  await scene.startHere({ debounceMs: 600_000 });
  scene.github.diffs.set(7, `+EVIL-diff ${'y'.repeat(200_000)}`);
  await scene.tell(fakePull(7, 'a1', { title: 'EVIL-title', body: null, user: { login: 'EVIL-user', type: 'User' } }));
  const [{ id }] = await scene.untilTasks(1);
  const { task } = (await scene.queue.show(id))!;
  expect(task?.prompt).not.toContain('EVIL');
  expect(task?.review?.baseCommit).toBe(fakePull(7, 'a1').base.sha);
  const material = task?.review?.material ?? '';
  const [, mark, data, rest] = /BEGIN DATA ([\da-f-]{36}) =====\n(.*)\n===== END DATA \1 =====\n(.*)$/s.exec(material)!;
  expect(mark).toBeDefined();
  for (const each of ['EVIL-title', 'EVIL-user', 'EVIL-diff']) expect(data).toContain(each);
  expect(rest).toMatch(/end is missing/);
  expect(material.length).toBeLessThan(110_000);
});

test('of pushes in a row the newest head is reviewed, and the review of an older one is cancelled', async () => {
  const scene = await makeGithubScene();
  await scene.startHere({ debounceMs: 600_000 });
  await scene.tell(fakePull(7, 'a1'));
  const [first] = await scene.untilTasks(1);
  await scene.tell(fakePull(7, 'a2'), 'synchronize');
  const newest = fakePull(7, 'a3');
  await scene.tell(newest, 'synchronize');
  await vi.waitFor(async () => {
    const states = (await scene.tasks()).map(({ state }) => state).toSorted();
    expect(states.filter((state) => state === 'delayed')).toHaveLength(1);
    expect(states.filter((state) => state === 'cancelled')).toHaveLength(states.length - 1);
  }, 15_000);
  expect((await scene.queue.show(first.id))?.state).toBe('cancelled');
  await scene.startOrchestrator();
  for (const { id } of await scene.tasks()) await scene.queue.promote(id);
  expect(await scene.untilReviewed(newest)).toContain('All is well.');
});

test('a new head updates the review that is there, in place of another', async () => {
  const scene = await makeGithubScene();
  await scene.startHere();
  await scene.startOrchestrator();
  scene.github.addReview(7, { body: 'Looks good to me', login: 'rafa' });
  // Copied from a review of ours, by somebody who wants no more of them.
  const second = fakePull(7, 'a2');
  scene.github.addReview(7, { body: `<!-- cervellaswarm-review ${second.head.sha} -->`, login: 'mallory' });
  const first = fakePull(7, 'a1');
  await scene.tell(first);
  await scene.untilReviewed(first);
  await scene.tell(second, 'synchronize');
  await scene.untilReviewed(second);
  expect(scene.github.requests.filter((line) => /^(POST|PUT)/.test(line))).toEqual([
    'POST /repos/acme/app/pulls/7/reviews',
    expect.stringMatching(/^PUT .*\/pulls\/7\/reviews\/\d+$/),
  ]);
  // Where it stands is known for either head: the phone leads there.
  const ours = scene.github.reviews(7).find(({ user }) => user.login === scene.github.login);
  await vi.waitFor(() =>
    expect(scene.sql('SELECT state, review_url FROM pull_request_reviews')).toEqual(
      Array(2).fill({ state: 'posted', review_url: ours?.html_url }),
    ),
  );
});

test('over REVIEWS_PER_DAY a pull request is written down, told once and not queued; a push of one that waits takes no more', async () => {
  const scene = await makeGithubScene({ REVIEWS_PER_DAY: '2' });
  const { samples } = await scene.startHere({ debounceMs: 600_000 });
  await scene.tell(fakePull(1, 'a1'));
  await scene.tell(fakePull(2, 'b1'));
  const over = await scene.tell(fakePull(3, 'c1'));
  expect(over).toEqual({ status: 200, answer: { status: 'over-cap', reason: 'REVIEWS_PER_DAY is used up' } });
  await scene.tell(fakePull(4, 'd1'));
  await scene.untilTasks(2);
  expect(scene.sql("SELECT number FROM pull_request_reviews WHERE state = 'over-cap' ORDER BY number")).toEqual([
    { number: 3 },
    { number: 4 },
  ]);
  expect((await samples()).get('swarm_webhook_deliveries_total{event="pull_request",outcome="over-cap"}')).toBe(2);
  const told = await vi.waitFor(async () => {
    const keys = await scene.redis.client.keys('swarm:swarm-notifications:reviews-capped-*');
    expect(keys).toHaveLength(1);
    return await scene.redis.client.hget(keys[0], 'data');
  }, 15_000);
  expect(JSON.parse(told ?? '')).toMatchObject({ kind: 'reviews-capped', facts: { limit: 2 } });
  // The cancelled review of an older head has cost nothing, and gives back its place.
  await scene.tell(fakePull(1, 'a2'), 'synchronize');
  await vi.waitFor(
    () =>
      expect(scene.sql('SELECT count(*) AS count FROM pull_request_reviews WHERE counted_day IS NOT NULL')).toEqual([
        { count: 1 },
      ]),
    15_000,
  );
});

test.each<[what: string, pattern: RegExp]>([
  ['it is asked for the diff', /^GET .*\/pulls\/7$/],
  ['the review is posted', /^POST/],
])('an error of GitHub when %s is waited for', async (_, pattern) => {
  const scene = await makeGithubScene();
  scene.github.refuse(pattern, 1, { status: 502 });
  await scene.startHere();
  await scene.startOrchestrator();
  const pull = fakePull(7, 'a1');
  await scene.tell(pull);
  await vi.waitFor(() => expect(scene.sql('SELECT error FROM pull_request_reviews')[0].error).toMatch(/GitHub.*502/), {
    timeout: 15_000,
  });
  scene.sql("UPDATE pull_request_reviews SET next_try_at = '2000'");
  await scene.untilReviewed(pull);
});

test.each<[status: number, headers: Record<string, string>]>([
  [429, { 'retry-after': '1' }],
  [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }],
])('a limit of requests that GitHub tells by %i and %o is waited for, and uses up no try', async (status, headers) => {
  const scene = await makeGithubScene();
  scene.github.refuse(/^GET .*\/pulls\/7$/, 1, { status, headers });
  await scene.startHere({ debounceMs: 600_000 });
  await scene.tell(fakePull(7, 'a1'));
  await scene.untilTasks(1);
  await scene.untilState('queued');
  // Refused, then the pull request and its diff.
  expect(scene.github.requests.filter((line) => line.endsWith('/pulls/7'))).toHaveLength(3);
});

test('a review whose posting was done and not answered is not posted twice', async () => {
  const scene = await makeGithubScene();
  scene.github.refuse(/^POST/, 1, { status: 502, isDone: true });
  await scene.startHere();
  await scene.startOrchestrator();
  const pull = fakePull(7, 'a1');
  await scene.tell(pull);
  await vi.waitFor(() => expect(scene.sql('SELECT error FROM pull_request_reviews')[0].error).toMatch(/502/), {
    timeout: 15_000,
  });
  scene.sql("UPDATE pull_request_reviews SET next_try_at = '2000'");
  await scene.untilState('posted');
  await scene.untilReviewed(pull);
  expect(scene.github.requests.filter((line) => line.startsWith('POST'))).toHaveLength(1);
});

test('what GitHub refuses for good is told, and not tried again', async () => {
  const scene = await makeGithubScene();
  scene.github.refuse(/^GET .*\/pulls\/7$/, 2, { status: 406 });
  await scene.startHere();
  await scene.tell(fakePull(7, 'a1'));
  await scene.untilState('refused');
  await vi.waitFor(async () => {
    expect(await scene.redis.client.keys('swarm:swarm-notifications:review-refused-*')).toHaveLength(1);
  }, 15_000);
  expect(await scene.tasks()).toEqual([]);
});

test('Redis may be away: the delivery is kept, and queued when it is back', async () => {
  const scene = await makeGithubScene();
  await scene.startHere({ debounceMs: 600_000 });
  await scene.redis.kill();
  expect(await scene.tell(fakePull(7, 'a1'))).toMatchObject({ status: 202 });
  await scene.redis.start();
  await scene.untilTasks(1);
});

test('an answer in prose is no review; tried again by a person, it is posted', async () => {
  const scene = await makeGithubScene();
  await scene.startHere();
  await scene.startOrchestrator();
  const pull = fakePull(7, 'a1');
  scene.github.diffs.set(7, `#fake outcome=prose fail-first=1 state=${scene.folder}/state\n`);
  await scene.tell(pull);
  const [{ id }] = await scene.untilTasks(1);
  expect(await scene.until(id, 'failed')).toMatchObject({ outcome: 'needs-attention' });
  await scene.untilState('failed');
  expect(scene.github.reviews(7)).toEqual([]);
  await scene.queue.retry(id);
  await scene.untilReviewed(pull);
});

test('findings stand in the review with their places, and nothing of them calls anybody, leads anywhere or is markup', async () => {
  const scene = await makeGithubScene({ SWARM_LANG: 'en' });
  const { samples } = await scene.startHere();
  await scene.startOrchestrator();
  const answer = {
    summary: `Two things, @rafa. The token is ${scene.github.token}.`,
    findings: [
      { severity: 'high', file: 'src/a.ts', line: 12, problem: 'Reads past the end', suggestion: 'if (at < end) {' },
      { severity: 'low', file: '<img src=x>', problem: '![x](https://evil.example/?q=1) [y](//evil.example)' },
    ],
  };
  scene.github.diffs.set(7, `#fake answer=${Buffer.from(JSON.stringify(answer)).toString('base64url')}\n`);
  const pull = fakePull(7, 'a1');
  await scene.tell(pull);
  const body = await scene.untilReviewed(pull);
  expect(body).toContain('**high** · src/a.ts, 12\n\nReads past the end\n\n```text\nif (at < end) {\n```');
  expect(body).toContain('removed: a secret');
  expect(body).not.toContain(scene.github.token);
  expect(body).not.toMatch(/@rafa|<img|https:\/\/|\]\(/);
  await vi.waitFor(async () => {
    expect((await samples()).get('swarm_security_events_total{kind="secret-scrubbed"}')).toBe(1);
  }, 15_000);
});
