import { randomUUID } from 'node:crypto';
import { UnreachableError } from '../../lib/errors.ts';

/** How many messages Alertmanager has handed over since it started, and how many attempts failed, for one channel. */
export interface Deliveries {
  readonly delivered: number;
  readonly failedAttempts: number;
}

const ANSWER_WITHIN_MS = 5_000;

/** What Alertmanager tells of itself. */
export interface AlertmanagerState {
  /** By integration (`telegram`, `slack`, `email`), only of those its configuration uses. */
  readonly deliveries: ReadonlyMap<string, Deliveries>;
  /** The chats its configuration writes to; the tokens are not told. */
  readonly chatIds: readonly number[];
}

/**
 * Asks what it has loaded and what it has delivered.
 * @throws UnreachableError if it does not answer, or is no Alertmanager.
 */
export async function readAlertmanager(alertmanagerUrl: string): Promise<AlertmanagerState> {
  const status = await ask(alertmanagerUrl, '/api/v2/status');
  const configuration = parseConfiguration(alertmanagerUrl, status);
  const metrics = await ask(alertmanagerUrl, '/metrics');
  const used = ['telegram', 'slack', 'email'].filter((name) => configuration.includes(`${name}_configs:`));
  const deliveries = used.map((name): [string, Deliveries] => {
    const attempts = sumOf(metrics, 'alertmanager_notification_requests_total', name);
    const failedAttempts = sumOf(metrics, 'alertmanager_notification_requests_failed_total', name);
    return [name, { delivered: attempts - failedAttempts, failedAttempts }];
  });
  const chatIds = [...configuration.matchAll(/chat_id: (-?\d+)/g)].map(([, id]) => Number(id));
  return { deliveries: new Map(deliveries), chatIds };
}

function parseConfiguration(alertmanagerUrl: string, status: string): string {
  try {
    const { config } = JSON.parse(status) as { config?: { original?: unknown } };
    if (typeof config?.original === 'string') return config.original;
  } catch {
    // Some other web server.
  }
  throw new UnreachableError(
    `Could not ask Alertmanager at ${alertmanagerUrl}: something else answers there.`,
    'Correct ALERTMANAGER_URL (ALERTMANAGER_API_URL where that is set): the address of its page, without what follows a # or ?.',
  );
}

/** Whether something keeps an alert from being sent. */
export async function isMuted(alertmanagerUrl: string, test: string): Promise<boolean> {
  const filter = encodeURIComponent(`test="${test}"`);
  const answer = await ask(alertmanagerUrl, `/api/v2/alerts?filter=${filter}`);
  const alerts = JSON.parse(answer) as readonly { readonly status: { readonly state: string } }[];
  return alerts.some(({ status }) => status.state === 'suppressed');
}

/**
 * Hands Alertmanager an alert that is over after a minute, and returns the value of its label `test`. Each is a group of its
 * own, so it is sent at once.
 * @throws UnreachableError if it does not take it.
 */
export async function postTestAlert(alertmanagerUrl: string, nowMs: number): Promise<string> {
  const test = randomUUID();
  const alert = {
    labels: { alertname: 'SwarmTestAlert', severity: 'critical', test },
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
  return test;
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
      'Start it (docker-compose -f docker-compose.monitoring.yml up -d alertmanager), or correct ALERTMANAGER_URL (ALERTMANAGER_API_URL where that is set).',
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
