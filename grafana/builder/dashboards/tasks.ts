import { KPI_TARGETS } from '../../../lib/memory/kpis.ts';
import type { DashboardSpec } from '../dashboard.ts';
import { barGauge, heatmap, lessIsBetter, stat, timeseries } from '../panels.ts';

/** Level 3: how tasks end, how long they take, where time is lost. */
export const tasks: DashboardSpec = {
  uid: 'swarm-tasks',
  title: 'Sciame · Task',
  description: 'Come finiscono i task, quanto durano, dove perdiamo tempo.',
  level: 'details',
  variables: ['agent', 'project', 'window'],
  from: 'now-7d',
  rows: [
    {
      title: 'Come finiscono',
      panels: [
        timeseries({
          title: 'Task delle 24 ore precedenti',
          description: 'Conteggio esatto per esito, in ogni momento sulle 24 ore precedenti.',
          queries: [{ expr: 'sum by(outcome) (swarm_window_tasks{window="24h"})', legend: '{{outcome}}' }],
          unit: 'short',
          width: 12,
        }),
        timeseries({
          title: 'Quota di successi nel tempo',
          description: 'Fra gli esiti noti, su 24 ore e su 7 giorni. Interrotta dove nessun esito era noto.',
          queries: [{ expr: 'max by(window) (swarm_window_success_ratio{window=~"24h|7d"})', legend: '{{window}}' }],
          unit: 'percentunit',
          width: 12,
          max: 1,
        }),
        barGauge({
          title: 'Esiti nella finestra',
          description: 'Successi, fallimenti e ignoti nella finestra scelta.',
          queries: [{ expr: 'sum by(outcome) (swarm_window_tasks{window="$window"})', legend: '{{outcome}}' }],
          unit: 'short',
          width: 8,
        }),
        timeseries({
          title: 'Chi fallisce',
          description: 'Fallimenti per agente nella finestra scelta.',
          queries: [
            {
              expr: 'sum by(agent) (swarm_window_agent_tasks{window="$window",outcome="failed",agent=~"$agent"}) > 0',
              legend: '{{agent}}',
            },
          ],
          unit: 'short',
          width: 8,
          noValue: 'Nessun fallimento',
        }),
        barGauge({
          title: 'Esiti per progetto',
          description: 'Task di sempre dei progetti scelti, per esito.',
          queries: [
            {
              expr: 'sum by(project, outcome) (swarm_runs_total{project=~"$project",agent=~"$agent"})',
              legend: '{{project}} {{outcome}}',
            },
          ],
          unit: 'short',
          width: 8,
        }),
      ],
    },
    {
      title: 'Dove perdiamo tempo?',
      panels: [
        heatmap({
          title: 'Durate',
          description:
            'Quanti task in ogni fascia di durata, in ogni momento sulla finestra scelta che lo precede. Vuota dove nessuna durata era nota.',
          queries: [
            {
              expr: 'sum by(duration) (swarm_window_tasks_by_duration{window="$window"}) and on() sum(swarm_window_tasks_with_duration{window="$window"}) > 0',
              legend: '{{duration}}',
            },
          ],
          names: { '>1800s': '1800s e oltre' },
          unit: 'short',
          width: 12,
          noValue: 'Nessuna durata nota',
        }),
        timeseries({
          title: 'Durata nel tempo',
          description: 'Media e percentili delle durate note, nella finestra scelta.',
          queries: [
            { expr: 'max by(stat) (swarm_window_task_duration_seconds{window="$window"})', legend: '{{stat}}' },
          ],
          unit: 's',
          width: 12,
          noValue: 'Nessuna durata nota',
        }),
        stat({
          title: 'Ripetuti',
          description: 'Quota di task tentati più di una volta negli ultimi 7 giorni; obiettivo: meno del 10%.',
          queries: [{ expr: 'max(swarm_kpi{kpi="retry_ratio"})' }],
          unit: 'percentunit',
          width: 6,
          decimals: 1,
          thresholds: lessIsBetter(KPI_TARGETS.retry_ratio, 2 * KPI_TARGETS.retry_ratio),
        }),
        stat({
          title: 'Corretti dopo',
          description: 'Quota di task che qualcuno ha dovuto correggere; obiettivo: meno del 20%.',
          queries: [{ expr: 'max(swarm_kpi{kpi="fix_after_agent_ratio"})' }],
          unit: 'percentunit',
          width: 6,
          decimals: 1,
          thresholds: lessIsBetter(KPI_TARGETS.fix_after_agent_ratio, 1.5 * KPI_TARGETS.fix_after_agent_ratio),
        }),
        stat({
          title: 'In corso da più tempo',
          description: 'Da quanto dura il più vecchio dei task iniziati e non finiti.',
          queries: [{ expr: 'max(swarm_oldest_task_in_progress_seconds)' }],
          unit: 's',
          width: 6,
          noValue: 'Nessuno in corso',
        }),
        stat({
          title: 'Durate note',
          description: 'Di quanti task della finestra scelta si conosce la durata.',
          queries: [{ expr: 'sum(swarm_window_tasks_with_duration{window="$window"})' }],
          unit: 'short',
          width: 6,
        }),
      ],
    },
    {
      title: 'Errori',
      panels: [
        timeseries({
          title: 'Errori nuovi',
          description: 'Tipi di errore mai visti prima, nelle 24 ore precedenti.',
          queries: [{ expr: 'max(swarm_window_new_error_signatures{window="24h"})', legend: 'nuovi' }],
          unit: 'short',
          width: 12,
        }),
        timeseries({
          title: 'Errori ripetuti',
          description: 'Tipi di errore visti due o più volte; obiettivo: nessuno.',
          queries: [{ expr: 'max by(window) (swarm_window_repeated_errors{window=~"7d|30d"})', legend: '{{window}}' }],
          unit: 'short',
          width: 12,
        }),
      ],
    },
  ],
};
