import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { createDemoMemory } from '../../lib/memory/demo/demo.ts';
import { openPhonePage } from '../support/browser.ts';
import { fillMemory } from '../support/golden-memory.ts';
import { makeMemory, taskRow, tempDir } from '../support/memory-builder.ts';
import { fiveRuns } from '../support/memory-figures.ts';
import { startExporter } from '../support/running-exporter.ts';

const COLLECTORS = 11;

const visibleText = (page: Page): Promise<string> => page.evaluate<string>('document.body.innerText');

/** What a person finds on the page, and that it fits the phone without anything loaded from elsewhere. */
async function lookAt(page: Page, url: string) {
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(url);
  expect(requests.filter((each) => !each.startsWith(url))).toEqual([]);
  expect(complaints.filter((each) => !each.includes('favicon'))).toEqual([]);
  const [wanted, given] = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]');
  expect(wanted).toBeLessThanOrEqual(given);
  return {
    language: await page.locator('html').getAttribute('lang'),
    verdict: await page.getByRole('status').textContent(),
    text: await visibleText(page),
    collectors: await page.locator('li:has(b)').allInnerTexts(),
    images: await page.locator('img, script').count(),
  };
}

test.each([
  [{}, 'it', 'Tutto bene: la memoria dello sciame si legge.', ['Nessun errore', 'Task contati', '75,0 %']],
  [{ SWARM_LANG: 'en' }, 'en', 'All is well: the swarm memory can be read.', ['No error', 'Tasks counted', '75.0 %']],
])('with the settings %j the page speaks %s and says how things are', async (env, language, verdict, texts) => {
  const exporter = await startExporter({ databasePath: fillMemory(Date.now()).path, env });
  const { page } = await openPhonePage();
  const seen = await lookAt(page, exporter.url);
  expect([seen.language, seen.verdict]).toEqual([language, verdict]);
  expect(texts.filter((text) => !seen.text.includes(text))).toEqual([]);
  expect(seen.collectors).toHaveLength(COLLECTORS);
  expect(seen.collectors.filter((each) => !/(bene|fine) \d+\.\d ms$/.test(each))).toEqual([]);
  expect(seen.text).not.toMatch(/Dati di prova|Demo data|undefined|NaN/);
});

test('a demo memory says that it is made up', async () => {
  const path = join(tempDir(), 'demo.db');
  createDemoMemory({ path, seed: 1, days: 3, untilMs: Date.now(), timezone: 'Europe/Rome' });
  const exporter = await startExporter({ databasePath: path });
  const { page } = await openPhonePage();
  expect((await lookAt(page, exporter.url)).text).toContain('Dati di prova: questa memoria è inventata.');
});

test('what cannot be read is said plainly, and markup in it stays text', async () => {
  const path = join(tempDir(), `<img src=x onerror=alert(1)> & "'${'w'.repeat(120)}.db`);
  const exporter = await startExporter({ databasePath: path });
  const { page } = await openPhonePage();
  const seen = await lookAt(page, exporter.url);
  expect(seen.verdict).toBe('La memoria dello sciame non si legge.');
  expect(seen.text).toContain(path);
  expect(seen.images).toBe(0);
  expect(seen.collectors.filter((each) => each.includes('fermo'))).toHaveLength(COLLECTORS);
});

test('the last error stays on the page after all is well again, and says how long ago it was', async () => {
  const path = join(tempDir(), 'later.db');
  const exporter = await startExporter({ databasePath: path });
  await exporter.samples();
  fiveRuns(path);
  const { page } = await openPhonePage();
  const seen = await lookAt(page, exporter.url);
  expect(seen.verdict).toBe('Tutto bene: la memoria dello sciame si legge.');
  expect(seen.text).toMatch(/Could not find the swarm memory .* \(\d+ s fa\)/);
});

test('a broken table is named beside the collectors that are fine', async () => {
  const memory = fillMemory(Date.now());
  memory.write((db) => db.exec('ALTER TABLE error_patterns DROP COLUMN status'));
  const exporter = await startExporter({ databasePath: memory.path });
  const { page } = await openPhonePage();
  const seen = await lookAt(page, exporter.url);
  expect(seen.verdict).toBe('Una parte dei dati manca.');
  expect(seen.collectors.filter((each) => each.includes('fermo'))).toEqual([
    expect.stringMatching(/^patterns .*status/),
  ]);
});

test('links are shown for what is configured and nothing else, and they work', async () => {
  const env = { GRAFANA_URL: 'https://grafana.example/a&b="2"' };
  const exporter = await startExporter({ databasePath: fiveRuns().path, env });
  const { page } = await openPhonePage();
  await lookAt(page, exporter.url);
  const links = await page.locator('a').evaluateAll((all) => all.map((each) => each.getAttribute('href')));
  expect(links).toEqual(['/metrics', '/healthz', '/readyz', env.GRAFANA_URL]);
  await page.getByRole('link', { name: 'Metriche' }).click();
  expect(await visibleText(page)).toContain('swarm_tasks_total 5');
});

describe('the texts of tasks', () => {
  const PASSWORD = 'a password: with colons';
  const authorization = (password: string) => ({
    Authorization: `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`,
  });
  const memory = () => {
    const made = makeMemory();
    made.events(
      taskRow(Date.now() - 7_200_000, { task_description: `Mend <b>it</b> with sk-ant-${'a'.repeat(24)}` }),
      taskRow(Date.now() - 60_000, { task_description: 'x'.repeat(9_000), success: 0, error_message: 'no such table' }),
    );
    return made.path;
  };

  test('are on the page of nobody who does not know the password', async () => {
    const { url } = await startExporter({ databasePath: memory(), env: { ADMIN_PASSWORD: PASSWORD } });
    for (const headers of [{}, authorization('wrong'), authorization(''), { Authorization: 'Basic' }]) {
      const page = await fetch(url, { headers });
      expect([page.status, (await page.text()).includes('Mend')]).toEqual([200, false]);
      const asked = await fetch(`${url}/?tasks`, { headers });
      expect([asked.status, asked.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic /)]);
    }
  });

  test('are nowhere without ADMIN_PASSWORD', async () => {
    const { url } = await startExporter({ databasePath: memory() });
    for (const headers of [{}, authorization(''), authorization('undefined')]) {
      const page = await fetch(`${url}/?tasks`, { headers });
      expect([page.status, /Mend|\?tasks/.test(await page.text())]).toEqual([200, false]);
    }
  });

  test('are shown to those who do, the latest first, masked and cut, and fit the phone', async () => {
    const exporter = await startExporter({ databasePath: memory(), env: { ADMIN_PASSWORD: PASSWORD } });
    const { page } = await openPhonePage();
    await page.setExtraHTTPHeaders(authorization(PASSWORD));
    const { text, collectors } = await lookAt(page, exporter.url);
    expect(collectors).toHaveLength(COLLECTORS + 2);
    expect(text).toMatch(
      /Ultimi task\s+cervella-backend fallito .*1 min fa\s+x{499}…\s+no such table\s+cervella-backend riuscito .*2 h fa/,
    );
    expect(text).toContain('Mend <b>it</b> with [***]');
    expect(text).toContain('Testi degli ultimi task');
  });
});
