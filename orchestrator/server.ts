import type { Express } from 'express';
import type { Redis } from 'ioredis';
import type { Family } from '../lib/exposition.ts';
import { answerErrors, answerHealth, answerMetrics, createHttpApp } from '../lib/http-server.ts';

/** What the server serves from. */
export interface ServerOptions {
  readonly redis: Redis;
  readonly adminPassword: string | undefined;
  readonly collectMetrics: () => Promise<readonly Family[]>;
  readonly findReasonNotReady: () => Promise<string | undefined>;
}

/** The orchestrator's HTTP interface: /metrics, /healthz, /readyz, and with ADMIN_PASSWORD the queue's page. */
export async function createApp({
  redis,
  adminPassword,
  collectMetrics,
  findReasonNotReady,
}: ServerOptions): Promise<Express> {
  const app = createHttpApp();
  app.get('/metrics', async (request, response) => {
    answerMetrics(request, response, await collectMetrics());
  });
  answerHealth(app, findReasonNotReady);
  if (adminPassword !== undefined) {
    // 35 MB of memory, for those who want it.
    const { addQueuePage } = await import('./queue-page.ts');
    addQueuePage(app, redis, adminPassword);
  }
  answerErrors(app, `Try /metrics, /healthz${adminPassword === undefined ? '' : ', /queues'} or /readyz.`);
  return app;
}
