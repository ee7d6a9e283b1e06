import { z } from 'zod';
import { UnreachableError } from '../../lib/errors.ts';

/** An alert that fires. */
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
}

const ANSWER_WITHIN_MS = 5_000;
/** Always firing, so that its absence is noticed: nothing to be told, or silenced. */
const WATCHDOG = 'Watchdog';
const alertsSchema = z.array(z.object({ labels: z.record(z.string(), z.string()) }));

/** The alerts that fire and are not silenced. @throws UnreachableError if Alertmanager does not answer. */
export async function readActiveAlerts(url: string): Promise<readonly ActiveAlert[]> {
  const answer = await ask(url, '/api/v2/alerts?active=true&silenced=false&inhibited=false');
  return alertsSchema.parse(JSON.parse(answer)).filter(({ labels }) => labels.alertname !== WATCHDOG);
}

/** Silences the alert with exactly these labels. @throws UnreachableError likewise. */
export async function silenceAlert(
  url: string,
  silence: {
    readonly labels: ActiveAlert['labels'];
    readonly fromMs: number;
    readonly untilMs: number;
    readonly createdBy: string;
    readonly comment: string;
  },
): Promise<void> {
  const { labels, fromMs, untilMs, createdBy, comment } = silence;
  const matchers = Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
  const startsAt = new Date(fromMs).toISOString();
  const endsAt = new Date(untilMs).toISOString();
  await ask(url, '/api/v2/silences', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ matchers, startsAt, endsAt, createdBy, comment }),
  });
}

async function ask(url: string, path: string, request: RequestInit = {}): Promise<string> {
  const fail = (reason: string, cause?: unknown): UnreachableError =>
    new UnreachableError(
      `Could not ask Alertmanager: ${reason}.`,
      'Start it, or correct ALERTMANAGER_URL (or ALERTMANAGER_API_URL, where that is set).',
      { cause },
    );
  let response: Response;
  try {
    response = await fetch(url.replace(/\/$/, '') + path, {
      ...request,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  } catch (error) {
    throw fail('it does not answer', error);
  }
  const text = await response.text();
  if (!response.ok) throw fail(`it answered ${response.status}`);
  return text;
}
