import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { readBody } from '../../bounded-body.ts';
import { attention, type Finding, notHere, ok, type WorkContext } from '../task.ts';

/** Which alerts rang since the evening. What rings always, so that its silence is noticed, is none. */
const QUERY =
  'count by (alertname) (max_over_time(ALERTS{alertstate="firing",alertname!="Watchdog",severity=~"critical|warning"}[12h]))';
const TIMEOUT_MS = 10_000;
const MOST_NAMES = 6;

/** Which alerts rang in the night, as Prometheus remembers it. */
export async function reviewNightAlerts({ settings, signal }: WorkContext): Promise<Finding> {
  const { prometheusUrl } = settings.config;
  if (prometheusUrl === undefined)
    return notHere({ it: 'PROMETHEUS_URL non è impostato', en: 'PROMETHEUS_URL is not set' });
  const names = await askForNames(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(QUERY)}`, signal);
  if (names === undefined) return notHere({ it: 'Prometheus non risponde', en: 'Prometheus does not answer' });
  const figures = { alerts: names.length };
  if (names.length === 0) return ok({ it: 'nessun allarme nella notte', en: 'no alert in the night' }, figures);
  const listed = `${names.slice(0, MOST_NAMES).join(', ')}${names.length > MOST_NAMES ? ', …' : ''}`;
  return attention({ it: `allarmi nella notte: ${listed}`, en: `alerts in the night: ${listed}` }, figures);
}

async function askForNames(url: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(url, { signal: within, redirect: 'error' });
    if (response.status !== 200 || response.body === null) return undefined;
    const body = await readBody(Readable.fromWeb(response.body as ReadableStream));
    const { data } = JSON.parse(body) as { data: { result: { metric: { alertname?: unknown } }[] } };
    const names = data.result.map(({ metric }) => String(metric.alertname)).filter((name) => /^\w{1,60}$/.test(name));
    return names.toSorted((a, b) => (a < b ? -1 : 1));
  } catch {
    return undefined;
  }
}
