import { expect, test } from 'vitest';
import { fakePull } from '../../support/fake-github.ts';
import { type GithubScene, makeGithubScene } from '../../support/github-scene.ts';
import { makeMachinery } from '../../support/scheduler-scene.ts';

/** Runs the job once, by hand, and gives what it says. */
async function runJob({ folder, env }: GithubScene, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { ledger, runner, lead, tools, close } = makeMachinery({}, { folder, env: { ...env, ...more } });
  expect(lead.take()).toBe(true);
  ledger.request('reconcile', tools.clock());
  runner.beginJob('reconcile');
  await runner.settled();
  const row = tools.db
    .prepare<[], { said: string }>('SELECT coalesce(error, summary) AS said FROM schedule_slots ORDER BY slot_utc DESC')
    .get();
  await close();
  return row?.said ?? '';
}

const states = (scene: GithubScene): unknown =>
  Object.fromEntries(
    scene.sql('SELECT number, state FROM pull_request_reviews').map(({ number, state }) => [number, state]),
  );

test('what is to be reviewed is found on every page, up to the cap of the day, the last changed first', async () => {
  const scene = await makeGithubScene({ REVIEWS_PER_DAY: '3' });
  for (let number = 1; number <= 110; number += 1) {
    scene.github.pulls.set(number, fakePull(number, `a${number}`, { draft: number < 105 }));
  }
  expect(await runJob(scene)).toBe('3 to be reviewed');
  expect(states(scene)).toEqual({ 105: 'due', 106: 'due', 107: 'due', 108: 'over-cap' });
  expect(scene.github.requests.filter((line) => line.endsWith('/pulls'))).toHaveLength(2);
  expect(await runJob(scene)).toBe('nothing was missed');
  // The next day.
  scene.sql("UPDATE pull_request_reviews SET counted_day = '2000-01-01', state = 'posted' WHERE state = 'due'");
  expect(await runJob(scene)).toBe('3 to be reviewed');
  expect(states(scene)).toMatchObject({ 108: 'due', 109: 'due', 110: 'due' });
});

test('drafts, bots, our own and heads that have a review of ours are left alone, and so are those that failed', async () => {
  const scene = await makeGithubScene({ REVIEWS_PER_DAY: '50' });
  const bot = { user: { login: 'renovate', type: 'Bot' } };
  const own = { user: { login: scene.github.login, type: 'User' } };
  const pulls = [
    fakePull(1, 'a1', { draft: true }),
    fakePull(2, 'a2', bot),
    fakePull(3, 'a3', own),
    fakePull(4, 'a4'),
    fakePull(5, 'a5'),
    fakePull(6, 'a6', { state: 'closed' }),
    fakePull(7, 'a7'),
  ];
  for (const pull of pulls) scene.github.pulls.set(pull.number, pull);
  const body = (number: number) => `<!-- cervellaswarm-review ${pulls[number - 1].head.sha} -->`;
  for (let each = 0; each < 120; each += 1) scene.github.addReview(4, { body: 'Hm.', login: 'rafa' });
  scene.github.addReview(4, { body: body(4), login: scene.github.login });
  scene.github.addReview(5, { body: body(5), login: 'mallory' });
  expect(await runJob(scene)).toBe('2 to be reviewed');
  expect(states(scene)).toEqual({ 5: 'due', 7: 'due' });
  scene.sql("UPDATE pull_request_reviews SET state = 'failed'");
  expect(await runJob(scene)).toBe('nothing was missed');
});

test('GitHub may be away, or refuse: the run says why; without settings it is off', async () => {
  const scene = await makeGithubScene();
  scene.github.pulls.set(1, fakePull(1, 'a1'));
  scene.github.refuse(/\/pulls$/, 1, { status: 503 });
  expect(await runJob(scene)).toMatch(/503.*tried again/);
  expect(await runJob(scene, { GITHUB_TOKEN: 'wrong' })).toMatch(/401, Bad credentials.*GITHUB_TOKEN/);
  expect(await runJob(scene, { GITHUB_TOKEN: '' })).toBe('off: GITHUB_TOKEN is not set');
  expect(await runJob(scene, { REVIEWS_PER_DAY: '0' })).toBe('off: REVIEWS_PER_DAY is 0');
  expect(states(scene)).toEqual({});
});
