import { type Family, gauge } from './exposition.ts';

/** Key figures as a metric. Two rooms export it, each its own: name, type and help must be the same. */
export function kpiFamily(kpis: readonly { readonly key: string; readonly value: number | undefined }[]): Family {
  return gauge(
    'swarm_kpi',
    'Key figures over the last 7 days; see the runbook for each.',
    kpis.map(({ key, value }) => [value, { kpi: key }]),
  );
}
