import { createServer, type Server } from 'node:http';
import express, { type Request, type Response } from 'express';
import type { Config } from '../lib/config.ts';
import { describeError, OperatorError } from '../lib/errors.ts';
import type { MemoryReader } from '../lib/memory/reader.ts';
import { readVersion } from '../lib/version.ts';
import { type ExpositionForm, OPENMETRICS_FORM, renderFamilies, TEXT_FORM } from './exposition.ts';
import type { Scraper } from './scrape.ts';
import { renderStatusPage } from './status-page.ts';

/** What the server serves from. */
export interface ServerOptions {
  readonly config: Config;
  readonly reader: MemoryReader;
  readonly scraper: Scraper;
}

/** The exporter's HTTP interface: /metrics, /healthz, /readyz and the status page. */
export function createApp({ config, reader, scraper }: ServerOptions): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.set({
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    next();
  });
  app.get('/metrics', async (request, response) => {
    const form = chooseForm(request);
    const { families } = await scraper.scrape();
    response.set('Content-Type', form).end(renderFamilies(families, form));
  });
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', async (_request, response) => {
    const reason = await findReasonNotReady(reader);
    response
      .status(reason === undefined ? 200 : 503)
      .json(reason === undefined ? { status: 'ready' } : { status: 'not ready', reason });
  });
  const version = readVersion();
  app.get('/', async (_request, response) => {
    const scrape = await scraper.scrape();
    const page = { scrape, lastError: scraper.lastError(), version, config, nowMs: Date.now() };
    response.type('html').send(renderStatusPage(page));
  });
  app.use((_request, response) => {
    response.status(404).json({ error: 'There is nothing here. Try /, /metrics, /healthz or /readyz.' });
  });
  app.use((error: unknown, _request: Request, response: Response, next: (error: unknown) => void) => {
    if (response.headersSent) next(error);
    else response.status(500).json({ error: describeError(error) });
  });
  return app;
}

/**
 * Listens on the configured address.
 * @throws OperatorError if the port is taken or may not be used.
 */
export function listen(app: express.Express, host: string, port: number): Promise<Server> {
  const server = createServer(app);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new OperatorError(
          `Could not listen on ${host}:${port}: ${error.code === 'EADDRINUSE' ? 'another program does already' : error.message}.`,
          'Stop that program, or set EXPORTER_PORT (and BIND_HOST) to a free one.',
          { cause: error },
        ),
      );
    });
    server.listen(port, host, () => resolve(server));
  });
}

/** Stops a server at once: a scrape under way is cut, since whoever scrapes comes again. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The first form the client names, in its own order of preference; text for whoever asks for neither. */
function chooseForm(request: Request): ExpositionForm {
  for (const type of request.accepts()) {
    if (type === 'application/openmetrics-text') return OPENMETRICS_FORM;
    if (type === 'text/plain' || type === '*/*' || type === 'text/*') return TEXT_FORM;
  }
  return TEXT_FORM;
}

/** Answers at once while the first pass runs; otherwise the answer takes as long as a reading, 2 s if a lock is in the way. */
async function findReasonNotReady(reader: MemoryReader): Promise<string | undefined> {
  if (reader.isLoading()) return 'loading: the first reading of the swarm memory is not over';
  return await reader.read(() => undefined).catch((error: unknown) => describeError(error));
}
