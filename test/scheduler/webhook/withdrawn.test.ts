import { expect, test, vi } from 'vitest';
import { type FakePull, fakePull } from '../../support/fake-github.ts';
import { type GithubScene, makeGithubScene } from '../../support/github-scene.ts';

const PATIENTLY = { timeout: 20_000, interval: 50 };
const OPEN = fakePull(7, 'a1');
const CLOSED: FakePull = { ...OPEN, state: 'closed' };
const DRAFT: FakePull = { ...OPEN, draft: true };
const HEADS = 'SELECT state, error, counted_day IS NOT NULL AS counts FROM pull_request_reviews';

/** Nobody waits for the next push. */
async function callAll({ queue, tasks }: GithubScene): Promise<void> {
  for (const { id } of await tasks()) await queue.promote(id);
}

async function untilBegun({ queue, untilTasks }: GithubScene): Promise<string> {
  const [{ id }] = await untilTasks(1);
  await vi.waitFor(async () => expect((await queue.show(id))?.state).toBe('active'), PATIENTLY);
  return id;
}

test.each<[what: string, action: string, ended: FakePull, again: string, error: string]>([
  ['closed', 'closed', CLOSED, 'reopened', 'it is not open'],
  ['made a draft', 'converted_to_draft', DRAFT, 'ready_for_review', 'it is a draft'],
])(
  'a pull request that is %s before an agent began is not reviewed, and takes nothing of its day; once it is back, it is',
  async (_, action, ended, again, error) => {
    const scene = await makeGithubScene({ REVIEWS_PER_DAY: '1' });
    const { samples } = await scene.startHere({ debounceMs: 600_000 });
    await scene.tell(OPEN);
    const [{ id }] = await scene.untilTasks(1);
    expect(await scene.tell(ended, action)).toEqual({ status: 200, answer: { status: 'withdrawn' } });
    await scene.untilState('superseded');
    expect(scene.sql(HEADS)).toEqual([{ state: 'superseded', error, counts: 0 }]);
    expect(await scene.queue.show(id)).toMatchObject({ state: 'cancelled', error: expect.stringContaining(error) });
    expect((await samples()).get('swarm_webhook_deliveries_total{event="pull_request",outcome="withdrawn"}')).toBe(1);
    expect((await scene.tell(ended, action)).answer).toMatchObject({
      status: 'ignored',
      reason: 'no review of it waits',
    });

    expect(await scene.tell(OPEN, again)).toEqual({ status: 202, answer: { status: 'queued' } });
    await scene.untilTasks(2);
    await scene.startOrchestrator();
    await callAll(scene);
    await scene.untilReviewed(OPEN);
    expect((await scene.queue.show(id))?.state).toBe('cancelled');
  },
  60_000,
);

test('one of a stranger, that waits for a yes, is withdrawn as well', async () => {
  const scene = await makeGithubScene();
  await scene.startHere();
  await scene.tell({ ...OPEN, author_association: 'NONE' });
  const [{ id, state }] = await scene.untilTasks(1);
  expect(state).toBe('needs-approval');
  await scene.tell({ ...CLOSED, author_association: 'NONE' }, 'closed');
  await scene.untilState('superseded');
  expect(await scene.queue.show(id)).toMatchObject({ state: 'cancelled' });
});

test('a delivery that comes late, when the pull request is open again, cancels nothing', async () => {
  const scene = await makeGithubScene();
  await scene.startHere({ debounceMs: 600_000 });
  await scene.tell(OPEN);
  await scene.untilTasks(1);
  await scene.untilState('queued');
  scene.github.refuse(/^GET .*\/pulls\/7$/, 1, { status: 502 });
  await scene.tell(CLOSED, 'closed');
  await vi.waitFor(() => expect(scene.sql(HEADS)[0].error).toMatch(/502/), PATIENTLY);
  expect((await scene.tell(OPEN, 'reopened')).answer.status).toBe('duplicate');
  // It is the error that is waited for.
  scene.sql("UPDATE pull_request_reviews SET next_try_at = '2000'");
  await vi.waitFor(
    () =>
      expect(scene.sql('SELECT state, is_doubted FROM pull_request_reviews')).toEqual([
        { state: 'queued', is_doubted: 0 },
      ]),
    PATIENTLY,
  );
  expect((await scene.tasks()).map(({ state }) => state)).toEqual(['delayed']);
});

test('a run that has begun may end, and is not posted on a pull request that was closed; reopened, it is reviewed', async () => {
  const scene = await makeGithubScene();
  await scene.startHere();
  await scene.startOrchestrator();
  scene.github.diffs.set(7, '#fake ms=2000\n');
  await scene.tell(OPEN);
  const id = await untilBegun(scene);
  await scene.tell(CLOSED, 'closed');
  expect(await scene.until(id, 'completed')).toMatchObject({ outcome: 'ok' });
  await scene.untilState('superseded');
  expect(scene.sql(HEADS)).toEqual([{ state: 'superseded', error: 'it was closed while it was reviewed', counts: 1 }]);
  expect(scene.github.reviews(7)).toEqual([]);
  scene.github.diffs.delete(7);
  await scene.tell(OPEN, 'reopened');
  await scene.untilReviewed(OPEN);
}, 60_000);

test('a run that has begun is posted on what was made a draft meanwhile', async () => {
  const scene = await makeGithubScene();
  await scene.startHere();
  await scene.startOrchestrator();
  scene.github.diffs.set(7, '#fake ms=1000\n');
  await scene.tell(OPEN);
  await untilBegun(scene);
  await scene.tell(DRAFT, 'converted_to_draft');
  await scene.untilReviewed(OPEN);
});

test('what GitHub could not tell the hourly job finds: closed, made a draft, and nothing else', async () => {
  const scene = await makeGithubScene();
  await scene.startScheduler();
  const heads = [fakePull(7, 'a1'), fakePull(8, 'b1'), fakePull(9, 'c1')];
  // The scheduler waits a minute for the next push, and so do these.
  for (const pull of heads) await scene.tell(pull);
  await scene.untilTasks(3);
  scene.github.pulls.set(7, { ...heads[0], state: 'closed' });
  scene.github.pulls.set(8, { ...heads[1], draft: true });
  expect((await scene.swarm('schedule', 'run', 'reconcile')).stdout).toContain('2 perhaps not any more');
  await vi.waitFor(
    () =>
      expect(scene.sql('SELECT number, state FROM pull_request_reviews ORDER BY number')).toEqual([
        { number: 7, state: 'superseded' },
        { number: 8, state: 'superseded' },
        { number: 9, state: 'queued' },
      ]),
    PATIENTLY,
  );
  expect((await scene.tasks()).map(({ state }) => state).toSorted()).toEqual(['cancelled', 'cancelled', 'delayed']);
  expect((await scene.swarm('schedule', 'run', 'reconcile')).stdout).toContain('nothing was missed');
}, 60_000);
