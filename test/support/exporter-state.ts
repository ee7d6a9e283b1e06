import { expect } from 'vitest';
import type { RunningExporter } from './running-exporter.ts';

/** `up` and the tasks counted, or `down` and the reason; /metrics and /readyz must agree. */
export async function stateOf(exporter: RunningExporter): Promise<readonly ['up' | 'down', unknown]> {
  const samples = await exporter.samples();
  const isUp = samples.get('swarm_up') === 1;
  const readiness = await exporter.readiness();
  expect({ isUp, readiness }).toEqual({ isUp, readiness: isUp ? 'ready' : expect.not.stringMatching(/^ready$/) });
  return isUp ? ['up', samples.get('swarm_tasks_total')] : ['down', readiness];
}
