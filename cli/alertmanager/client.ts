import { randomUUID } from 'node:crypto';
import { UnreachableError } from '../../lib/errors.ts';

/** How many messages Alertmanager has handed over since it started, and how many attempts failed, for one channel. */
export interface Deliveries {
  readonly delivered: number;
  readonly failedAttempts: number;
}

const ANSWER_WITHIN_MS = 5_000;

/**
 * Deliveries by integration (`telegram`, `slack`, `email`, `webhook`), only of those that Alertmanager's configuration uses.
 * @throws UnreachableError if it does not answer.
 */
export async function readDeliveries(alertmanagerUrl: string): Promise<ReadonlyMap<string, Deliveries>> {
  const configuration = await ask(alertmanagerUrl, '/api/v2/status');
  const metrics = await ask(alertmanagerUrl, '/metrics');
  const used = ['telegram', 'slack', 'email', 'webhook'].filter((name) => configuration.includes(`${name}_configs:`));
  return new Map(
    used.map((name) => {
      const attempts = sumOf(metrics, 'alertmanager_notification_requests_total', name);
      const failedAttempts = sumOf(metrics, 'alertmanager_notification_requests_failed_total', name);
      return [name, { delivered: attempts - failedAttempts, failedAttempts }];
    }),
  );
}

/**
 * Hands Alertmanager an alert that is over after a minute. Each is a group of its own, so it is sent at once.
 * @throws UnreachableError if it does not take it.
 */
export async function postTestAlert(alertmanagerUrl: string, nowMs: number): Promise<void> {
  const alert = {
    labels: { alertname: 'SwarmTestAlert', severity: 'critical', test: randomUUID() },
    annotations: {
      summary: 'Prova: se leggi questo, gli allarmi arrivano',
      summary_en: 'A test: if you read this, alerts arrive',
    },
    startsAt: new Date(nowMs).toISOString(),
    endsAt: new Date(nowMs + 60_000).toISOString(),
  };
  await ask(alertmanagerUrl, '/api/v2/alerts', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify([alert]),
  });
}

async function ask(alertmanagerUrl: string, path: string, request: RequestInit = {}): Promise<string> {
  try {
    const response = await fetch(alertmanagerUrl + path, { ...request, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return text;
  } catch (error) {
    throw new UnreachableError(
      `Could not ask Alertmanager at ${alertmanagerUrl}: ${describe(error)}.`,
      'Start it (docker-compose -f docker-compose.monitoring.yml up -d alertmanager), or correct ALERTMANAGER_URL.',
      { cause: error },
    );
  }
}

/** What fetch hides in its cause says more than "fetch failed". */
function describe(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? message;
}

/** The sum over all series of a metric that belong to an integration; newer versions split it further. */
function sumOf(metrics: string, name: string, integration: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(`integration="${integration}"`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
