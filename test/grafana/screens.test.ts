/// <reference lib="dom" />
import { mkdirSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { findProgram } from '../support/programs.ts';
import { DASHBOARDS, ROOT } from './dashboard-files.ts';
import { startDemoStack } from './demo-stack.ts';
import { renderPreview } from './preview.ts';

/** `UPDATE_SCREENSHOTS=1 npx vitest run test/grafana/screens.test.ts` takes the pictures in docs/ anew. */
const SCREENSHOTS = process.env.UPDATE_SCREENSHOTS === '1' ? `${ROOT}docs/dashboards/` : undefined;
const PICTURES = new Set(['swarm-executive-phone', 'swarm-executive-wide', 'swarm-operational-wide']);
const SCREENS = { wide: { width: 1_440, height: 900 }, phone: { width: 390, height: 844 } };

test('in a browser the dashboards fit their screens, wide or a phone, and nothing overlaps', async () => {
  const { ask } = await startDemoStack();
  const browser = await chromium.launch({
    executablePath: findProgram('chromium'),
    args: ['--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    for (const dashboard of DASHBOARDS) {
      const html = await renderPreview(dashboard, ask);
      for (const [screen, viewport] of Object.entries(SCREENS)) {
        const page = await browser.newPage({ viewport });
        await page.setContent(html);
        expect(await faultsOf(page), `${dashboard.uid}, ${screen}`).toEqual([]);
        if (SCREENSHOTS && PICTURES.has(`${dashboard.uid}-${screen}`)) {
          mkdirSync(SCREENSHOTS, { recursive: true });
          await page.screenshot({ path: `${SCREENSHOTS}${dashboard.uid}-${screen}.png`, fullPage: true });
        }
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
}, 120_000);

/** Titles of panels that overlap another, and whether the page is wider than its screen. */
function faultsOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const boxes = [...document.querySelectorAll('section')].map((section) => ({
      title: section.textContent.slice(0, 40),
      box: section.getBoundingClientRect(),
    }));
    const overlaps = boxes.filter(({ box: one }, index) =>
      boxes.some(
        ({ box: other }, at) =>
          at < index &&
          one.left < other.right - 1 &&
          other.left < one.right - 1 &&
          one.top < other.bottom - 1 &&
          other.top < one.bottom - 1,
      ),
    );
    const isTooWide = document.documentElement.scrollWidth > window.innerWidth;
    return [...overlaps.map(({ title }) => title), ...(isTooWide ? ['the page is wider than the screen'] : [])];
  });
}
