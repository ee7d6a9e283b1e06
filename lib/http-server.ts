import { createServer, type Server } from 'node:http';
import express, { type Express, type Request, type Response } from 'express';
import { describeError, OperatorError } from './errors.ts';
import { type ExpositionForm, type Family, OPENMETRICS_FORM, renderFamilies, TEXT_FORM } from './exposition.ts';

/** An application with the headers every answer of ours bears. */
export function createHttpApp(): Express {
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
  return app;
}

/** Answers a scrape in the form it asks for. */
export function answerMetrics(request: Request, response: Response, families: readonly Family[]): void {
  const form = chooseForm(request);
  response.set('Content-Type', form).end(renderFamilies(families, form));
}

/** /healthz says that the process lives; /readyz that it can do its work, or why not, and what else `describe` gives. */
export function answerHealth(
  app: Express,
  findReasonNotReady: () => Promise<string | undefined>,
  describe: () => Readonly<Record<string, unknown>> = () => ({}),
): void {
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', async (_request, response) => {
    const reason = await findReasonNotReady();
    response
      .status(reason === undefined ? 200 : 503)
      .json({ ...(reason === undefined ? { status: 'ready' } : { status: 'not ready', reason }), ...describe() });
  });
}

/** The last handlers of an application: nothing found, and errors as JSON. `whereToGo` is a sentence. */
export function answerErrors(app: Express, whereToGo: string): void {
  app.use((_request, response) => {
    response.status(404).json({ error: `There is nothing here. ${whereToGo}` });
  });
  app.use((error: unknown, _request: Request, response: Response, next: (error: unknown) => void) => {
    if (response.headersSent) next(error);
    else response.status(500).json({ error: describeError(error) });
  });
}

/**
 * Listens on `host` and `port`; `variable` is the setting the port comes from.
 * @throws OperatorError if the port is taken or may not be used.
 */
export function listen(app: Express, { host, port, variable }: ListenOptions): Promise<Server> {
  const server = createServer(app);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new OperatorError(
          `Could not listen on ${host}:${port}: ${error.code === 'EADDRINUSE' ? 'another program does already' : error.message}.`,
          `Stop that program, or set ${variable} (and BIND_HOST) to a free one.`,
          { cause: error },
        ),
      );
    });
    server.listen(port, host, () => resolve(server));
  });
}

/** Where to listen, and the setting that says so. */
interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly variable: string;
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
