import type { DashboardSpec } from '../dashboard.ts';
import { BUDGET_NAMES, OUTCOME_NAMES } from '../italian.ts';
import { barGauge, stat, timeseries } from '../panels.ts';

const NO_USAGE = 'Nessun consumo registrato';
/** Runs that use no attempt: the work goes on later, or nobody wanted it any more. */
const NO_ATTEMPT = 'rate-limited|cancelled';
const WASTE_NAMES = { spesa: 'Spesa totale', failed: 'Persa in task falliti', retried: 'Persa in tentativi ripetuti' };

/** Level 3: what it costs, what for, and what was wasted. */
export const costs: DashboardSpec = {
  uid: 'swarm-costs',
  title: 'Sciame · Costi e modelli',
  description: 'Quanto costa, per chi, con quale modello; limiti e budget.',
  level: 'details',
  variables: ['agent', 'window'],
  from: 'now-30d',
  rows: [
    {
      title: 'Quanto costa',
      panels: [
        stat({
          title: 'Spesa nella finestra',
          description: 'Stima a listino dei task con consumo registrato nella finestra scelta.',
          queries: [{ expr: 'sum(swarm_window_cost_usd{window="$window"})' }],
          unit: 'currencyUSD',
          width: 6,
          decimals: 2,
          noValue: NO_USAGE,
        }),
        stat({
          title: 'Costo per task',
          description: 'Spesa della finestra scelta divisa per i task con consumo registrato.',
          queries: [
            {
              expr: 'sum(swarm_window_cost_usd{window="$window"}) / (sum(swarm_window_tasks_with_usage{window="$window"}) > 0)',
            },
          ],
          unit: 'currencyUSD',
          width: 6,
          decimals: 3,
          noValue: NO_USAGE,
        }),
        stat({
          title: 'Token per task (7 g)',
          description: 'Token di ogni genere divisi per i task con consumo registrato.',
          queries: [{ expr: 'max(swarm_kpi{kpi="tokens_per_task"})' }],
          unit: 'short',
          width: 6,
          noValue: NO_USAGE,
        }),
        stat({
          title: 'Infrastruttura al mese',
          description: 'Quanto costa la VM (INFRA_COST_EUR_MONTH); obiettivo: meno di 15 €.',
          queries: [{ expr: 'max(swarm_kpi{kpi="infra_cost_eur_month"})' }],
          unit: 'currencyEUR',
          width: 6,
        }),
        timeseries({
          title: 'Spesa delle 24 ore precedenti',
          description: 'Conteggio esatto, in ogni momento sulle 24 ore precedenti.',
          queries: [{ expr: 'sum(swarm_window_cost_usd{window="24h"})', legend: 'spesa' }],
          unit: 'currencyUSD',
          width: 12,
          decimals: 2,
          noValue: NO_USAGE,
        }),
        barGauge({
          title: 'Budget',
          description: 'Limite, speso e impegnato di ogni periodo.',
          // Each orchestrator shows the same budget.
          queries: [{ expr: 'max by(period, kind) (swarm_budget_usd{period!="task"})', legend: '{{period}} {{kind}}' }],
          names: BUDGET_NAMES,
          unit: 'currencyUSD',
          width: 12,
        }),
      ],
    },
    {
      title: 'Per chi e con quale modello',
      panels: [
        barGauge({
          title: 'Spesa per modello',
          description: 'Stima a listino di sempre.',
          queries: [{ expr: 'sum by(model) (swarm_cost_usd_total{agent=~"$agent"})', legend: '{{model}}' }],
          unit: 'currencyUSD',
          width: 8,
          noValue: NO_USAGE,
        }),
        barGauge({
          title: 'Spesa per agente',
          description: 'Stima a listino di sempre.',
          queries: [{ expr: 'sum by(agent) (swarm_cost_usd_total{agent=~"$agent"})', legend: '{{agent}}' }],
          unit: 'currencyUSD',
          width: 8,
          noValue: NO_USAGE,
        }),
        barGauge({
          title: 'Token per genere',
          description: 'Token di sempre, di tutti gli agenti: letti dalla cache costano un decimo di quelli nuovi.',
          queries: [{ expr: 'sum by(kind) (swarm_tokens_total)', legend: '{{kind}}' }],
          unit: 'short',
          width: 8,
          noValue: NO_USAGE,
        }),
      ],
    },
    {
      title: 'Sprechi e limiti',
      panels: [
        barGauge({
          title: 'Spesa e sprechi nella finestra',
          description:
            'Quanto della spesa della finestra scelta è andato perso: nell’ultimo tentativo di task falliti, o in tentativi a cui ne è seguito un altro. I task di esito ignoto non contano come spreco. Vuota se nessuno registra i consumi.',
          queries: [
            { expr: 'sum(swarm_window_cost_usd{window="$window"})', legend: 'spesa' },
            { expr: 'sum by(reason) (swarm_window_wasted_cost_usd{window="$window"})', legend: '{{reason}}' },
          ],
          names: WASTE_NAMES,
          unit: 'currencyUSD',
          width: 12,
          decimals: 2,
          noValue: NO_USAGE,
        }),
        timeseries({
          title: 'Sprechi nel tempo',
          description:
            'Spesa andata persa, per motivo, in ogni momento sulla finestra scelta che lo precede. Vuota se nessuno registra i consumi.',
          queries: [{ expr: 'sum by(reason) (swarm_window_wasted_cost_usd{window="$window"})', legend: '{{reason}}' }],
          names: WASTE_NAMES,
          unit: 'currencyUSD',
          width: 12,
          decimals: 2,
          noValue: NO_USAGE,
        }),
        stat({
          title: 'Tentativi falliti (24 h)',
          description:
            'Quota dei tentativi dell’orchestratore che non sono riusciti: spesa senza frutto. Quelli fermati dal limite d’uso o annullati non contano.',
          queries: [
            {
              expr: `(sum(increase(swarm_agent_run_seconds_count{outcome!~"ok|${NO_ATTEMPT}"}[24h])) or vector(0)) / (sum(increase(swarm_agent_run_seconds_count{outcome!~"${NO_ATTEMPT}"}[24h])) > 0)`,
            },
          ],
          unit: 'percentunit',
          width: 8,
          height: 8,
          noValue: 'Nessun tentativo',
        }),
        stat({
          title: 'Il limite d’uso riparte fra',
          description: 'Quando gli agenti torneranno disponibili dopo aver esaurito l’abbonamento.',
          queries: [{ expr: 'max(swarm_agent_limit_resets_timestamp_seconds) - time() > 0' }],
          unit: 's',
          width: 8,
          height: 8,
          noValue: 'Nessun limite raggiunto',
        }),
        timeseries({
          title: 'Tempo dei tentativi',
          description:
            'Tempo di agente nelle 24 ore precedenti, per esito. Quello non riuscito è spreco, tranne dove il limite d’uso ha fermato un lavoro che poi continua.',
          queries: [
            { expr: 'sum by(outcome) (increase(swarm_agent_run_seconds_sum[24h])) > 0', legend: '{{outcome}}' },
          ],
          names: OUTCOME_NAMES,
          noValue: 'Nessun tentativo',
          unit: 's',
          width: 8,
        }),
      ],
    },
  ],
};
