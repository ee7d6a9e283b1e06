import { gauge } from '../../lib/exposition.ts';
import { kpiFamily } from '../../lib/kpi-family.ts';
import { computeKpis } from '../../lib/memory/kpis.ts';
import type { Collector } from '../collector.ts';

/** The KPIs of R16 and their targets; one whose input does not exist is absent. */
export const kpisCollector: Collector = {
  name: 'kpis',
  collect: ({ memory, config }) => {
    const kpis = computeKpis({
      tally: memory.tally,
      schema: memory.schema,
      lessons: orAbsent(memory.lessons),
      usage: orAbsent(memory.usage),
      eurPerUsd: config.eurPerUsd,
      infraCostEurMonth: config.infraCostEurMonth,
    });
    return [
      kpiFamily(kpis),
      gauge(
        'swarm_kpi_target',
        'Targets of the key figures that have one.',
        kpis.map(({ key, target }) => [target, { kpi: key }]),
      ),
    ];
  },
};

/** Lessons and usage have collectors of their own that report their failures; here they only cost the KPIs they feed. */
function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
