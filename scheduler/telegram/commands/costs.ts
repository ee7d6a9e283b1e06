import { costLabels, type UsageFigures } from '../../../lib/memory/usage.ts';
import { WINDOWS } from '../../../lib/memory/windows.ts';
import { readMemoryOnce } from '../../../lib/read-memory.ts';
import type { BotCommand } from '../context.ts';
import { join, table } from '../html.ts';
import { REPLIES } from '../words/replies.ts';

const MOST_MODELS = 8;
const LONGEST_NAME = 24;

interface Costs {
  readonly windows: readonly { readonly name: string; readonly usd: number; readonly tasks: number }[];
  readonly models: readonly (readonly [model: string, usd: number])[];
}

/** `/costi`: what was spent, by window and by model, beside the limits. */
export const costs: BotCommand = {
  names: { it: 'costi', en: 'costs' },
  about: { it: 'Quanto è costato', en: 'What it has cost' },
  run: async ({ settings, speaker }) => {
    const { config, work } = settings;
    const { say, plain, money, clean, number } = speaker;
    const found = await readMemoryOnce(config, (view) => readCosts(view.usage()));
    const rows = found?.windows.map(({ name, usd, tasks }) => [name, money(usd), number(tasks)]) ?? [];
    const head = ['', plain(REPLIES.costHead), plain(REPLIES.tasksHead)];
    const text = say(REPLIES.costs, {
      table: found ? table([head, ...rows]) : say(REPLIES.noCosts),
      day: money(work.budgetDayUsd),
      week: money(work.budgetWeekUsd),
      month: money(work.budgetMonthUsd),
      infra: number(config.infraCostEurMonth, 2),
    });
    const models = found?.models.map(([model, usd]) => [clean(model, LONGEST_NAME), money(usd)]) ?? [];
    return { text: join([text, models.length > 0 ? say(REPLIES.byModel, { table: table(models) }) : undefined]) };
  },
};

function readCosts(usage: UsageFigures | undefined): Costs | undefined {
  if (usage === undefined || usage.rows === 0) return undefined;
  const byModel = new Map<string, number>();
  for (const [key, microUsd] of usage.costMicroUsd) {
    const { model } = costLabels(usage, key);
    byModel.set(model, (byModel.get(model) ?? 0) + microUsd / 1e6);
  }
  return {
    windows: WINDOWS.map(({ name }, index) => {
      const { costMicroUsd, tasks } = usage.windows[index];
      return { name, usd: costMicroUsd / 1e6, tasks: tasks.size };
    }),
    models: [...byModel].sort(([, one], [, other]) => other - one).slice(0, MOST_MODELS),
  };
}
