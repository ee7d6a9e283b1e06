import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Queue } from 'bullmq';
import type { Express, NextFunction, Request, Response } from 'express';
import type { Redis } from 'ioredis';
import { askForPassword, createPasswordCheck } from '../lib/http-password.ts';
import { KEY_PREFIX, QUEUES } from '../lib/queue/names.ts';

const PATH = '/queues';
/** Scripts, styles and pictures of its own, nothing from elsewhere. */
const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'";

/** Bull Board under /queues, to look at: our own commands change things, since they also record what they do. */
export function addQueuePage(app: Express, redis: Redis, password: string): void {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(PATH);
  const options = { connection: redis, prefix: KEY_PREFIX };
  const queues = [QUEUES.tasks, QUEUES.notifications].map((name) => {
    const queue = new Queue(name, options);
    queue.on('error', () => undefined);
    return new BullMQAdapter(queue, { readOnlyMode: true });
  });
  createBullBoard({ queues, serverAdapter: adapter, options: { uiConfig: { boardTitle: 'CervellaSwarm' } } });
  app.use(PATH, withPassword(password), adapter.getRouter() as Express);
}

function withPassword(password: string) {
  const isGiven = createPasswordCheck(password);
  return (request: Request, response: Response, next: NextFunction): void => {
    if (!isGiven(request)) {
      askForPassword(response);
      return;
    }
    response.set('Content-Security-Policy', PAGE_POLICY);
    next();
  };
}
