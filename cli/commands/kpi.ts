import { type Kpi, meetsTarget } from '../../lib/memory/kpis.ts';
import { windowOutcomes } from '../../lib/memory/task-figures.ts';
import { WEEK } from '../../lib/memory/windows.ts';
import { kpisOf, readMemoryOnce } from '../../lib/read-memory.ts';
import { readGoalKpis } from '../../scheduler/goals.ts';
import { lookIntoMonitorDb } from '../../scheduler/monitor-db.ts';
import {
  type AddCommand,
  alignColumns,
  loadCommandConfig,
  loadCommandScheduler,
  printJson,
  printLines,
} from '../command.ts';

/** `swarm kpi`: the key figures of the last 7 days beside their targets. */
export const addKpiCommand: AddCommand = (program) => {
  program
    .command('kpi')
    .description('show the key figures of the last 7 days beside their targets')
    .option('--json', 'print them as JSON')
    .action(async (options: { json?: true }) => {
      const config = loadCommandConfig();
      const goals = readGoals();
      const { kpis, outcomes } = await readMemoryOnce(config, (view) => ({
        kpis: [...kpisOf(view, config), ...goals],
        outcomes: [...windowOutcomes(view.tally.tasks, WEEK)],
      }));
      const [success, failed, unknown] = outcomes;
      if (options.json) {
        printJson({ days: 7, tasks: { success, failed, unknown }, kpis: kpis.map(toJson) });
        return;
      }
      const rows = kpis.map((kpi) => [kpi.key, show(kpi.value), show(kpi.target), verdictOf(kpi)]);
      printLines([
        ...alignColumns([['figure', 'last 7 days', 'target', ''], ...rows]),
        '',
        `Of ${success + failed + unknown} tasks, ${success} succeeded, ${failed} failed and ${unknown} ended without saying how.`,
        'A dash: the memory does not hold what this figure needs, or nobody has set it (swarm goal set).',
      ]);
    });
};

/** What is set by hand has no target. */
function readGoals(): readonly Kpi<string>[] {
  const db = lookIntoMonitorDb(loadCommandScheduler().monitorDbPath);
  const goals = readGoalKpis(db).map((kpi): Kpi<string> => ({ ...kpi, target: undefined, better: 'more' }));
  db?.close();
  return goals;
}

function toJson(kpi: Kpi<string>) {
  return { key: kpi.key, value: kpi.value ?? null, target: kpi.target ?? null, meetsTarget: meetsTarget(kpi) ?? null };
}

function show(value: number | undefined): string {
  if (value === undefined) return '–';
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 3 : 1);
}

function verdictOf(kpi: Kpi<string>): string {
  const meets = meetsTarget(kpi);
  return meets === undefined ? '' : meets ? 'ok' : 'off target';
}
