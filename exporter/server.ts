import type { Express } from 'express';
import type { Config } from '../lib/config.ts';
import { describeError } from '../lib/errors.ts';
import { askForPassword, createPasswordCheck } from '../lib/http-password.ts';
import { answerErrors, answerHealth, answerMetrics, createHttpApp } from '../lib/http-server.ts';
import type { MemoryReader } from '../lib/memory/reader.ts';
import { readVersion } from '../lib/version.ts';
import { readLatestTasks } from './latest-tasks.ts';
import type { Scraper } from './scrape.ts';
import { renderStatusPage, TEXTS } from './status-page.ts';

/** What the server serves from. */
export interface ServerOptions {
  readonly config: Config;
  readonly reader: MemoryReader;
  readonly scraper: Scraper;
}

/** The exporter's HTTP interface: /metrics, /healthz, /readyz and the status page. */
export function createApp({ config, reader, scraper }: ServerOptions): Express {
  const app = createHttpApp();
  app.get('/metrics', async (request, response) => {
    const { families } = await scraper.scrape();
    answerMetrics(request, response, families);
  });
  answerHealth(app, () => findReasonNotReady(reader));
  const version = readVersion();
  const { adminPassword, swarmDbPath, timezone } = config;
  const isPasswordGiven = adminPassword === undefined ? () => false : createPasswordCheck(adminPassword);
  app.get('/', async (request, response) => {
    const isOpen = isPasswordGiven(request);
    if (!isOpen && adminPassword !== undefined && TEXTS in request.query) {
      askForPassword(response);
      return;
    }
    const scrape = await scraper.scrape();
    // That the memory cannot be read is what the page says anyway.
    const latest = isOpen ? await readLatestTasks(swarmDbPath, timezone).catch(() => undefined) : undefined;
    const page = { scrape, latest, lastError: scraper.lastError(), version, config, nowMs: Date.now() };
    response.type('html').send(renderStatusPage(page));
  });
  answerErrors(app, 'Try /, /metrics, /healthz or /readyz.');
  return app;
}

/** Answers at once while the first pass runs; otherwise the answer takes as long as a reading, 2 s if a lock is in the way. */
async function findReasonNotReady(reader: MemoryReader): Promise<string | undefined> {
  if (reader.isLoading()) return 'loading: the first reading of the swarm memory is not over';
  return await reader.read(() => undefined).catch((error: unknown) => describeError(error));
}
