import type { DashboardSpec } from '../dashboard.ts';
import { barGauge, moreIsBetter, table, text, timeseries } from '../panels.ts';

const CHOSEN = 'window="$window",agent=~"$agent"';
const KNOWN = `sum by(agent) (swarm_window_agent_tasks{${CHOSEN},outcome=~"success|failed"})`;

/** Level 3: which agents work best, and do we need more of them? */
export const agents: DashboardSpec = {
  uid: 'swarm-agents',
  title: 'Sciame · Agenti',
  description: 'Chi lavora meglio? Chi è fermo? Servono più agenti?',
  level: 'details',
  variables: ['agent', 'project', 'window'],
  from: 'now-7d',
  rows: [
    {
      title: 'Quali agenti lavorano meglio?',
      panels: [
        table({
          title: 'Agenti a confronto',
          description:
            'Task, esiti e quota di successi fra quelli noti nella finestra scelta. Pochi esiti noti: la quota dice poco.',
          queries: [
            { expr: `sum by(agent) (swarm_window_agent_tasks{${CHOSEN}})`, legend: 'Task' },
            { expr: `sum by(agent) (swarm_window_agent_tasks{${CHOSEN},outcome="failed"})`, legend: 'Falliti' },
            { expr: `sum by(agent) (swarm_window_agent_tasks{${CHOSEN},outcome="unknown"})`, legend: 'Ignoti' },
            {
              expr: `sum by(agent) (swarm_window_agent_tasks{${CHOSEN},outcome="success"}) / (${KNOWN} > 0)`,
              legend: 'Successi',
              unit: 'percentunit',
            },
          ],
          by: ['agent'],
          sortBy: 'Task',
          unit: 'short',
          width: 14,
          height: 10,
        }),
        barGauge({
          title: 'Quota di successi',
          description: 'Solo agenti con almeno 3 esiti noti nella finestra scelta.',
          queries: [
            {
              expr: `sum by(agent) (swarm_window_agent_tasks{${CHOSEN},outcome="success"}) / (${KNOWN} >= 3)`,
              legend: '{{agent}}',
            },
          ],
          unit: 'percentunit',
          width: 10,
          height: 10,
          max: 1,
          noValue: 'Nessun agente con 3 esiti noti',
          thresholds: moreIsBetter(0.8, 0.9),
        }),
        barGauge({
          title: 'Durata media',
          description: 'Durata media di sempre dei task di durata nota: li scrive l’orchestratore, non gli hook.',
          queries: [
            {
              expr: 'sum by(agent) (swarm_task_duration_seconds_sum{agent=~"$agent"}) / sum by(agent) (swarm_task_duration_seconds_count{agent=~"$agent"} > 0)',
              legend: '{{agent}}',
            },
          ],
          unit: 's',
          width: 12,
          noValue: 'Nessuna durata nota',
        }),
        barGauge({
          title: 'Costo di sempre',
          description: 'Spesa stimata a listino per agente.',
          queries: [{ expr: 'sum by(agent) (swarm_cost_usd_total{agent=~"$agent"})', legend: '{{agent}}' }],
          unit: 'currencyUSD',
          width: 12,
          noValue: 'Nessun consumo registrato',
        }),
      ],
    },
    {
      title: 'Servono più agenti?',
      panels: [
        text(
          'Come leggerlo',
          'Come rispondere alla domanda con i pannelli accanto.',
          '**Sì**, se la coda cresce mentre tutti lavorano e nessuno è fermo. **No**, se metà degli agenti è ferma da settimane: meglio dare loro lavoro, o toglierli.',
          6,
          8,
        ),
        table({
          title: 'Chi è fermo',
          description:
            'Quanto tempo fa ogni agente ha finito l’ultimo task; subagent e unknown raccolgono le righe senza nome.',
          queries: [
            {
              expr: 'time() - max by(agent) (swarm_agent_last_task_timestamp_seconds{agent=~"$agent"})',
              legend: 'Fermo da',
            },
          ],
          by: ['agent'],
          sortBy: 'Fermo da',
          unit: 's',
          width: 9,
        }),
        timeseries({
          title: 'Agenti al lavoro',
          description: 'Quanti agenti diversi hanno finito almeno un task nelle 24 ore precedenti.',
          queries: [
            {
              expr: 'count(sum by(agent) (swarm_window_agent_tasks{window="24h"}) > 0) or vector(0)',
              legend: 'agenti',
            },
          ],
          unit: 'short',
          width: 9,
        }),
      ],
    },
    {
      title: 'Per progetto',
      panels: [
        table({
          title: 'Agenti e progetti',
          description: 'Task di sempre per agente, progetto ed esito.',
          queries: [
            {
              expr: 'sum by(agent, project, outcome) (swarm_runs_total{agent=~"$agent",project=~"$project"})',
              legend: 'Task',
            },
          ],
          by: ['agent', 'project', 'outcome'],
          sortBy: 'Task',
          unit: 'short',
          width: 12,
          height: 10,
        }),
        barGauge({
          title: 'Task per progetto',
          description: 'Task di sempre di ogni progetto.',
          queries: [
            { expr: 'sum by(project) (swarm_runs_total{agent=~"$agent",project=~"$project"})', legend: '{{project}}' },
          ],
          unit: 'short',
          width: 12,
          height: 10,
        }),
      ],
    },
  ],
};
