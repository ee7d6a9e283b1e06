import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../../lib/errors.ts';
import { closeServer, listen } from '../../lib/http-server.ts';
import { readProjects } from '../../lib/projects.ts';
import { createGithubApi } from '../reviews/github-api.ts';
import { createReviewLedger, localDay } from '../reviews/review-ledger.ts';
import { createReviewer } from '../reviews/reviewer.ts';
import { reasonGithubIsOff, secretsOf } from '../reviews/switched-on.ts';
import type { Tools } from '../tools.ts';
import { acceptDelivery } from '../webhook/accept-delivery.ts';
import { createListener } from '../webhook/listener.ts';
import type { Part } from './part.ts';

/** What tests set otherwise. */
export interface GithubTimings {
  /** How long the next push is waited for. */
  readonly debounceMs: number;
  /** How often the reviews under way are looked at. */
  readonly lookEveryMs: number;
}

const TIMINGS: GithubTimings = { debounceMs: 60_000, lookEveryMs: 5_000 };
/** GitHub waits 10 s for an answer; what is written down is queued later if need be. */
const ANSWER_WITHIN_MS = 5_000;
const [HEADERS_WITHIN_MS, BODY_WITHIN_MS, MOST_CONNECTIONS] = [5_000, 30_000, 50];

/** Takes GitHub's deliveries, and has pull requests reviewed. */
export const github: Part = createGithubPart();

/** The same with other times. */
export function createGithubPart({ debounceMs, lookEveryMs }: GithubTimings = TIMINGS): Part {
  return {
    name: 'github',
    start: async (tools) => {
      const { githubWebhookSecret: secret, githubToken: token } = tools.settings.scheduler;
      const off = reasonGithubIsOff(tools.settings);
      if (secret === undefined || token === undefined || off !== undefined) return { off: off ?? 'it is not set up' };
      const stopping = new AbortController();
      const { ledger, reviewer } = makeReviewer(tools, token, stopping.signal);
      const { projectsFile, bindHost: host } = tools.settings.config;
      const app = createListener({
        ...{ secret, counters: tools.counters, log: tools.log },
        accept: async (delivery) => {
          const accepted = acceptDelivery(delivery, {
            ...{ ledger, clock: tools.clock, debounceMs, ownLogin: reviewer.ownLogin },
            projects: () => readProjects(projectsFile),
          });
          if (['queued', 'withdrawn'].includes(accepted.outcome)) await within(ANSWER_WITHIN_MS, reviewer.work());
          if (accepted.outcome === 'over-cap') void tellCapped(tools);
          return accepted;
        },
      });
      const server = await listen(app, { host, port: tools.settings.scheduler.webhookPort, variable: 'WEBHOOK_PORT' });
      server.headersTimeout = HEADERS_WITHIN_MS;
      server.requestTimeout = BODY_WITHIN_MS;
      server.maxConnections = MOST_CONNECTIONS;
      tools.log.info({ host, port: (server.address() as AddressInfo).port }, 'the webhook is listening');
      // Asked for again with the first review, if GitHub is away now.
      void reviewer.learnLogin().catch(() => undefined);
      void reviewer.work();
      const looks = setInterval(() => void reviewer.work(), lookEveryMs);
      return {
        stop: async () => {
          clearInterval(looks);
          stopping.abort();
          await closeServer(server);
          await reviewer.work();
        },
      };
    },
  };
}

function makeReviewer(tools: Tools, token: string, signal: AbortSignal) {
  const { settings, db, clock } = tools;
  const { githubApiUrl: url, reviewsPerDay: perDay } = settings.scheduler;
  const ledger = createReviewLedger({ db, clock, perDay, timezone: settings.config.timezone });
  const api = createGithubApi({ url, token, clock, signal });
  return { ledger, reviewer: createReviewer({ tools, ledger, api, signal, secrets: secretsOf(settings) }) };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: limit.signal }).catch(() => undefined)]);
  limit.abort();
}

/** Once a day. */
async function tellCapped({ notify, clock, log, settings }: Tools): Promise<void> {
  const key = `reviews-capped-${localDay(clock(), settings.config.timezone)}`;
  const facts = { limit: settings.scheduler.reviewsPerDay };
  await notify({ kind: 'reviews-capped', key, facts }).catch((error: unknown) => {
    log.warn({ reason: describeError(error) }, 'it could not be told that no more is reviewed today');
  });
}
