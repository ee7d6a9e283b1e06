import { type Family, gauge } from '../../lib/exposition.ts';
import type { MonitorDb } from '../monitor-db.ts';
import { CERTIFICATE_EXPIRY } from './check.ts';
import { readLatestResults } from './results.ts';

/** What is older is no news of a project any more: the check was switched off, or nobody was there to make it. */
const STALE_MS = 2 * 86_400_000;

/** The latest health check as metrics. What could not be checked has no sample. */
export function collectHealth({ db, nowMs }: { readonly db: MonitorDb; readonly nowMs: number }): readonly Family[] {
  const results = readLatestResults(db).filter(({ checkedMs }) => nowMs - checkedMs < STALE_MS);
  const known = results.filter(({ state }) => state !== 'unavailable');
  const expiries = new Map<string, number>();
  for (const { project, figures } of results) {
    const seconds = figures[CERTIFICATE_EXPIRY];
    if (seconds !== undefined) expiries.set(project, Math.min(seconds, expiries.get(project) ?? Infinity));
  }
  return [
    gauge(
      'swarm_project_up',
      'Whether the last check of a project found it well (1) or not (0); absent if it could not be made.',
      known.map(({ project, check, state }) => [Number(state === 'up'), { project, check }]),
    ),
    gauge(
      'swarm_project_check_seconds',
      'How long that check took.',
      known.map(({ project, check, seconds }) => [seconds, { project, check }]),
    ),
    gauge(
      'swarm_certificate_expiry_timestamp_seconds',
      'When the first of the certificates of a project ends.',
      [...expiries].map(([project, seconds]) => [seconds, { project }]),
    ),
  ];
}
