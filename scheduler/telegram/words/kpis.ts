import type { KpiKey } from '../../../lib/memory/kpis.ts';
import type { GoalKpiKey } from '../../goals.ts';
import type { Words } from '../../words.ts';

/** The KPIs by names that fit a phone, in the units of their values. */
export const KPI_WORDS: Readonly<Record<KpiKey | GoalKpiKey, Words>> = {
  tasks_per_day: { it: 'Task/giorno', en: 'Tasks/day' },
  success_ratio: { it: 'Successo', en: 'Success' },
  task_seconds_mean: { it: 'Tempo medio', en: 'Mean time' },
  retry_ratio: { it: 'Ripetuti', en: 'Retried' },
  fix_after_agent_ratio: { it: 'Corretti', en: 'Fixed' },
  repeated_errors: { it: 'Errori ripet.', en: 'Repeated err.' },
  lessons_applied_ratio: { it: 'Lezioni usate', en: 'Lessons used' },
  tokens_per_task: { it: 'Token/task', en: 'Tokens/task' },
  cost_eur_per_task: { it: 'Euro/task', en: 'Euro/task' },
  infra_cost_eur_month: { it: 'Infra €/mese', en: 'Infra €/month' },
  hours_saved_week: { it: 'Ore salvate', en: 'Hours saved' },
  geo_freedom_ratio: { it: 'Libertà geo', en: 'Geo freedom' },
  autonomous_tasks_week: { it: 'Autonomi/sett', en: 'Autonomous/wk' },
};
