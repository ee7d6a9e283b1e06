import type { Express } from 'express';
import type { Family } from '../lib/exposition.ts';
import { answerErrors, answerHealth, answerMetrics, createHttpApp } from '../lib/http-server.ts';

/** What the server serves from. */
export interface ServerOptions {
  readonly collectMetrics: () => Promise<readonly Family[]>;
  readonly findReasonNotReady: () => string | undefined;
  /** Parts that are not set up, and why. */
  readonly partsOff: () => Readonly<Record<string, string>>;
}

/** The scheduler's HTTP interface: /metrics, /healthz and /readyz. */
export function createApp({ collectMetrics, findReasonNotReady, partsOff }: ServerOptions): Express {
  const app = createHttpApp();
  app.get('/metrics', async (request, response) => {
    answerMetrics(request, response, await collectMetrics());
  });
  answerHealth(
    app,
    async () => findReasonNotReady(),
    () => ({ off: partsOff() }),
  );
  answerErrors(app, 'Try /metrics, /healthz or /readyz.');
  return app;
}
