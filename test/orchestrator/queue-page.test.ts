import { expect, test } from 'vitest';
import { openPhonePage } from '../support/browser.ts';
import { makeScene } from '../support/swarm-scene.ts';

const PASSWORD = 'a password: with colons, blanks and ünicode';
const authorization = (password: string) => ({
  Authorization: `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`,
});

test('without ADMIN_PASSWORD there is no page of the queue', async () => {
  const scene = await makeScene();
  const { url } = await scene.startOrchestrator();
  expect((await fetch(`${url}/queues`)).status).toBe(404);
});

test('the page of the queue wants the password, shows the queues, and changes nothing', async () => {
  const scene = await makeScene();
  const { url } = await scene.startOrchestrator({ ADMIN_PASSWORD: PASSWORD });
  const id = await scene.enqueue('Do it.');
  await scene.until(id, 'completed');
  for (const headers of [{}, authorization('wrong'), authorization(''), { Authorization: 'Basic' }]) {
    const refused = await fetch(`${url}/queues`, { headers });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic /)]);
  }
  const queues = await fetch(`${url}/queues/api/queues`, { headers: authorization(PASSWORD) });
  const { queues: shown } = (await queues.json()) as { queues: { name: string; readOnlyMode: boolean }[] };
  expect(shown.map(({ name, readOnlyMode }) => [name, readOnlyMode])).toEqual([
    ['swarm-tasks', true],
    ['swarm-notifications', true],
  ]);
  const removal = await fetch(`${url}/queues/api/queues/swarm-tasks/${id}/clean`, {
    method: 'PUT',
    headers: authorization(PASSWORD),
  });
  expect(removal.status).toBe(405);
  expect(await scene.show(id)).toMatchObject({ state: 'completed' });
});

test('a real browser draws it under our content policy, without the fonts from elsewhere', async () => {
  const scene = await makeScene();
  const { url } = await scene.startOrchestrator({ ADMIN_PASSWORD: PASSWORD });
  const { page } = await openPhonePage();
  await page.setExtraHTTPHeaders(authorization(PASSWORD));
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(`${url}/queues`);
  await page.getByText('swarm-notifications').first().waitFor();
  // Its fonts would come from elsewhere: nobody there needs to know who looks at a queue.
  expect(problems.filter((problem) => !problem.includes('https://fonts.googleapis.com/'))).toEqual([]);
});
