import type { Config } from './config.ts';
import { computeKpis, type Kpi } from './memory/kpis.ts';
import { createMemoryReader, type MemoryView } from './memory/reader.ts';
import { readManualMinutes } from './projects.ts';

/**
 * Reads the configured memory once.
 * @throws MemoryError saying why it cannot be read.
 */
export async function readMemoryOnce<T>(config: Config, use: (view: MemoryView) => T): Promise<T> {
  const reader = createMemoryReader({
    path: config.swarmDbPath,
    timezone: config.timezone,
    manualMinutes: readManualMinutes(config.projectsFile),
  });
  try {
    await reader.whenLoaded();
    return await reader.read(use);
  } finally {
    reader.close();
  }
}

/** The KPIs of a memory, as the exporter shows them. */
export function kpisOf(view: MemoryView, config: Config): readonly Kpi[] {
  return computeKpis({
    tally: view.tally,
    schema: view.schema,
    lessons: view.lessons(),
    usage: view.usage(),
    eurPerUsd: config.eurPerUsd,
    infraCostEurMonth: config.infraCostEurMonth,
  });
}
