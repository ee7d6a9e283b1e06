import { createHash } from 'node:crypto';
import type { Express, Request, Response } from 'express';
import { answerErrors, createHttpApp } from '../../lib/http-server.ts';
import type { Log } from '../../lib/log.ts';
import type { Counters } from '../counters.ts';
import { createBodyReader } from './body.ts';
import { parsePayload } from './payload.ts';
import { isSigned, looksSigned } from './signature.ts';

/** Something GitHub tells that happened, and that it was GitHub who told it. */
export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly payload: unknown;
}

/** What becomes of a delivery, and why if it is nothing. */
export interface Acceptance {
  readonly outcome: 'queued' | 'duplicate' | 'over-cap' | 'withdrawn' | 'ignored';
  readonly reason?: string;
}

export interface ListenerOptions {
  readonly secret: string;
  readonly counters: Counters;
  readonly log: Log;
  /** Resolves when the delivery is on disk, within the 10 s GitHub waits. */
  readonly accept: (delivery: Delivery) => Promise<Acceptance>;
}

const PATH = '/webhooks/github';
const LONGEST_BODY = 25 * 2 ** 20;
const BODIES_TOGETHER = 64 * 2 ** 20;
/** A flood of strangers is counted, not written down. */
const COMPLAIN_EVERY_MS = 10_000;

/** The application of the webhook's own port: one path, and nothing else on it. */
export function createListener({ secret, counters, log, accept }: ListenerOptions): Express {
  const read = createBodyReader({ longest: LONGEST_BODY, together: BODIES_TOGETHER });
  let complainedMs = Number.NEGATIVE_INFINITY;

  const count = (event: string, outcome: string): void => counters.add('webhookDeliveries', { event, outcome });
  const refuseUnsigned = (response: Response): void => {
    count('other', 'unsigned');
    counters.add('securityEvents', { kind: 'bad-signature' });
    if (performance.now() - complainedMs > COMPLAIN_EVERY_MS) {
      complainedMs = performance.now();
      log.warn('a delivery without a valid signature was refused; more within 10 s are only counted');
    }
    response.status(401).json({ error: 'The signature is missing or wrong. Set the same secret on both sides.' });
  };

  const handle = async (request: Request, response: Response): Promise<void> => {
    const signature = request.get('x-hub-signature-256');
    const isTooLarge = Number(request.get('content-length')) > LONGEST_BODY;
    if (!looksSigned(signature) && !isTooLarge) {
      request.resume();
      return refuseUnsigned(response);
    }
    const body = await read(request);
    if (body === 'too-large') {
      count('other', 'too-large');
      response.status(413).json({ error: 'The body is larger than 25 MB.' });
    } else if (body === 'busy') {
      response.status(503).json({ error: 'Too much at once. Send it again.' });
    } else if (!isSigned(body, signature, secret)) {
      refuseUnsigned(response);
    } else {
      await answerSigned(request, response, body);
    }
  };

  const answerSigned = async (request: Request, response: Response, body: Buffer): Promise<void> => {
    const event = request.get('x-github-event') ?? '';
    const label = event === 'pull_request' || event === 'ping' ? event : 'other';
    const payload = parsePayload(body);
    if (payload === undefined) {
      count(label, 'refused');
      response
        .status(400)
        .json({ error: 'The body is no JSON. Set the content type of the webhook to application/json.' });
      return;
    }
    if (event === 'ping') {
      count(label, 'answered');
      response.json({ status: 'pong' });
      return;
    }
    const id = deliveryId(request.get('x-github-delivery'), body);
    const { outcome, reason } = await accept({ id, event, payload });
    count(label, outcome);
    log.info({ delivery: id, event: label, outcome, ...(reason === undefined ? {} : { reason }) }, 'a delivery');
    const isTaken = outcome === 'queued' || outcome === 'duplicate';
    response.status(isTaken ? 202 : 200).json({ status: outcome, ...(reason === undefined ? {} : { reason }) });
  };

  const app = createHttpApp();
  // As an expression it means itself alone: neither capitals nor a slash at its end.
  app.post(new RegExp(`^${PATH}$`), handle);
  answerErrors(app, `GitHub posts to ${PATH}.`);
  return app;
}

/** The one GitHub gave it; without one, what is the same is the same delivery. */
function deliveryId(header: string | undefined, body: Buffer): string {
  if (header !== undefined && /^[\w-]{1,100}$/.test(header)) return header;
  return `sha256-${createHash('sha256').update(body).digest('hex')}`;
}
