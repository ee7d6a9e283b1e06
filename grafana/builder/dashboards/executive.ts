import { KPI_TARGETS } from '../../../lib/memory/kpis.ts';
import type { DashboardSpec } from '../dashboard.ts';
import { barGauge, lessIsBetter, moreIsBetter, stat, table, timeseries, UP_DOWN, YES_NO } from '../panels.ts';

const NO_USAGE = 'Nessun consumo registrato';
/** KPIs of which more is better; of all others less is. */
const MORE =
  'tasks_per_day|success_ratio|lessons_applied_ratio|hours_saved_week|autonomous_tasks_week|geo_freedom_ratio';
/** What people call them. */
const NAMES = {
  tasks_per_day: 'Task al giorno',
  success_ratio: 'Successi',
  task_seconds_mean: 'Durata media (s)',
  retry_ratio: 'Ripetuti',
  fix_after_agent_ratio: 'Corretti dopo',
  repeated_errors: 'Errori ripetuti',
  lessons_applied_ratio: 'Lezioni applicate',
  tokens_per_task: 'Token per task',
  cost_eur_per_task: 'Costo per task (€)',
  infra_cost_eur_month: 'Infrastruttura al mese (€)',
  hours_saved_week: 'Ore risparmiate a settimana',
  autonomous_tasks_week: 'Task autonomi a settimana',
  geo_freedom_ratio: 'Libertà geo',
};
const VALUE_MORE = `max by(kpi) (swarm_kpi{kpi=~"${MORE}"})`;
const VALUE_LESS = `max by(kpi) (swarm_kpi{kpi!~"${MORE}"})`;
const TARGET = 'max by(kpi) (swarm_kpi_target)';

/** Level 1: is all well? Fits a phone, where Grafana stacks the panels. */
export const executive: DashboardSpec = {
  uid: 'swarm-executive',
  title: 'Sciame · Panoramica',
  description: 'Va tutto bene? Gli indicatori principali accanto ai loro obiettivi.',
  level: 'executive',
  variables: [],
  from: 'now-7d',
  rows: [
    {
      title: 'Adesso',
      panels: [
        stat({
          title: 'Va tutto bene?',
          description:
            'Sì se nessun allarme critico o di attenzione è attivo, la memoria dello sciame si legge e le regole vengono valutate.',
          queries: [
            {
              expr: '(count(ALERTS{alertstate="firing",severity=~"critical|warning"}) or vector(0)) == bool 0 and min(swarm_up) == 1 and on() count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)',
            },
          ],
          unit: 'short',
          width: 4,
          words: YES_NO,
        }),
        stat({
          title: 'Successi (24 h)',
          description:
            'Quota di successi fra i task di esito noto. Assente finché nessun esito è noto: guarda gli ignoti.',
          queries: [{ expr: 'swarm_window_success_ratio{window="24h"}' }],
          unit: 'percentunit',
          width: 4,
          decimals: 1,
          noValue: 'Nessun esito noto',
          thresholds: moreIsBetter(0.8, KPI_TARGETS.success_ratio),
        }),
        stat({
          title: 'Esiti ignoti (24 h)',
          description: 'Task di cui nessuno ha scritto com’è andata: non contano né come successi né come fallimenti.',
          queries: [{ expr: 'swarm_window_tasks{window="24h",outcome="unknown"}' }],
          unit: 'short',
          width: 4,
        }),
        stat({
          title: 'Durata p95 (7 g)',
          description: 'Il 95% dei task di durata nota è durato al massimo tanto. Gli hook non scrivono durate.',
          queries: [{ expr: 'swarm_window_task_duration_seconds{window="7d",stat="p95"}' }],
          unit: 's',
          width: 4,
          noValue: 'Nessuna durata nota',
          thresholds: lessIsBetter(KPI_TARGETS.task_seconds_mean, 2 * KPI_TARGETS.task_seconds_mean),
        }),
        stat({
          title: 'Costo per task (7 g)',
          description:
            'Spesa stimata a listino divisa per i task che hanno un consumo registrato. Budget: il limite per task.',
          queries: [
            {
              expr: 'swarm_window_cost_usd{window="7d"} / (swarm_window_tasks_with_usage{window="7d"} > 0)',
              legend: 'costo',
            },
            { expr: 'max(swarm_budget_usd{period="task",kind="limit"})', legend: 'budget' },
          ],
          unit: 'currencyUSD',
          width: 4,
          decimals: 2,
          noValue: NO_USAGE,
        }),
        stat({
          title: 'Task (24 h)',
          description: 'Task finiti nelle ultime 24 ore, di qualunque esito.',
          queries: [{ expr: 'sum(swarm_window_tasks{window="24h"})' }],
          unit: 'short',
          width: 4,
        }),
        stat({
          title: 'Agenti attivi (24 h)',
          description: 'Agenti che hanno finito almeno un task nelle ultime 24 ore.',
          queries: [{ expr: 'count(sum by(agent) (swarm_window_agent_tasks{window="24h"}) > 0) or vector(0)' }],
          unit: 'short',
          width: 4,
        }),
        stat({
          title: 'Ultimo task',
          description: 'Quanto tempo fa è finito l’ultimo task.',
          queries: [{ expr: 'time() - (swarm_last_task_timestamp_seconds > 0)' }],
          unit: 's',
          width: 4,
          noValue: 'Memoria vuota',
        }),
        stat({
          title: 'Componenti',
          description: 'Quali parti rispondono a Prometheus.',
          queries: [{ expr: 'min by(job) (up)', legend: '{{job}}' }],
          unit: 'short',
          width: 16,
          words: UP_DOWN,
        }),
        table({
          title: 'Allarmi attivi',
          description: 'Gli allarmi che suonano adesso. Il Watchdog, che suona sempre, è escluso. Vuoto è la norma.',
          queries: [
            {
              expr: 'sum by(alertname, severity, tier) (ALERTS{alertstate="firing",alertname!="Watchdog"})',
              legend: 'Quanti',
            },
          ],
          by: ['severity', 'tier', 'alertname'],
          unit: 'short',
          width: 24,
          height: 6,
          noValue: 'Nessun allarme',
        }),
      ],
    },
    {
      title: 'Obiettivi degli ultimi 7 giorni',
      panels: [
        table({
          title: 'Indicatori e obiettivi',
          description: 'Ogni indicatore accanto al suo obiettivo. Manca ciò che nessuno ha ancora scritto.',
          queries: [
            { expr: 'max by(kpi) (swarm_kpi)', legend: 'Valore' },
            { expr: 'max by(kpi) (swarm_kpi_target)', legend: 'Obiettivo' },
            {
              expr: `${VALUE_MORE} >= bool ${TARGET} or ${VALUE_LESS} <= bool ${TARGET}`,
              legend: 'Raggiunto',
              words: YES_NO,
            },
          ],
          by: ['kpi'],
          names: NAMES,
          unit: 'short',
          width: 12,
          height: 13,
          decimals: 2,
        }),
        barGauge({
          title: 'Quanto manca agli obiettivi',
          description: 'Valore diviso obiettivo (obiettivo diviso valore dove meno è meglio): da 1 in su è raggiunto.',
          queries: [
            {
              expr: `clamp_max(${VALUE_MORE} / (${TARGET} > 0), 2) or clamp_max((${TARGET} + 1e-9) / (${VALUE_LESS} + 1e-9), 2)`,
              legend: '{{kpi}}',
            },
          ],
          names: NAMES,
          unit: 'percentunit',
          width: 12,
          height: 13,
          max: 2,
          thresholds: moreIsBetter(0.8, 1),
        }),
        timeseries({
          title: 'Andamento: quote',
          description:
            'Successi, ripetizioni, correzioni e lezioni applicate, come quote; l’obiettivo è nella tabella.',
          queries: [{ expr: 'max by(kpi) (swarm_kpi{kpi=~".*_ratio"})', legend: '{{kpi}}' }],
          names: NAMES,
          unit: 'percentunit',
          width: 12,
          max: 1,
        }),
        timeseries({
          title: 'Andamento: quantità',
          description: 'Task al giorno, task autonomi e ore risparmiate alla settimana, errori ripetuti.',
          queries: [
            {
              expr: 'max by(kpi) (swarm_kpi{kpi=~"tasks_per_day|autonomous_tasks_week|hours_saved_week|repeated_errors"})',
              legend: '{{kpi}}',
            },
          ],
          names: NAMES,
          unit: 'short',
          width: 12,
        }),
        timeseries({
          title: 'Andamento: costi',
          description:
            'Euro per task e infrastruttura al mese. Il costo per task manca finché nessuno registra consumi.',
          queries: [
            { expr: 'max by(kpi) (swarm_kpi{kpi=~"cost_eur_per_task|infra_cost_eur_month"})', legend: '{{kpi}}' },
          ],
          names: NAMES,
          unit: 'currencyEUR',
          width: 12,
          decimals: 2,
          noValue: NO_USAGE,
        }),
        timeseries({
          title: 'Andamento: durata media',
          description: 'Durata media dei task di durata nota negli ultimi 7 giorni; obiettivo: meno di 10 minuti.',
          queries: [
            { expr: 'max(swarm_kpi{kpi="task_seconds_mean"})', legend: 'media' },
            { expr: 'max(swarm_kpi_target{kpi="task_seconds_mean"})', legend: 'obiettivo' },
          ],
          unit: 's',
          width: 12,
        }),
      ],
    },
  ],
};
