import { KPI_TARGETS } from '../../../lib/memory/kpis.ts';
import type { DashboardSpec } from '../dashboard.ts';
import { barGauge, lessIsBetter, moreIsBetter, stat, text, timeseries } from '../panels.ts';

/** Level 3: does the swarm learn? */
export const learning: DashboardSpec = {
  uid: 'swarm-learning',
  title: 'Sciame · Apprendimento',
  description: 'Lo sciame impara dai suoi errori? Che cosa ripetere, che cosa evitare.',
  level: 'details',
  variables: [],
  from: 'now-30d',
  rows: [
    {
      title: 'Che cosa ripetere',
      panels: [
        stat({
          title: 'Lezioni applicate',
          description: 'Quota delle lezioni attive usate almeno una volta; obiettivo: tutte.',
          queries: [{ expr: 'max(swarm_kpi{kpi="lessons_applied_ratio"})' }],
          unit: 'percentunit',
          width: 6,
          height: 8,
          noValue: 'Nessuna lezione attiva',
          thresholds: moreIsBetter(0.5, KPI_TARGETS.lessons_applied_ratio),
        }),
        stat({
          title: 'Lezioni',
          description: 'Quante lezioni sono scritte nella memoria.',
          queries: [{ expr: 'sum(swarm_lessons_total)' }],
          unit: 'short',
          width: 6,
          height: 8,
        }),
        barGauge({
          title: 'Lezioni per stato e gravità',
          description: 'Solo le attive vengono date agli agenti.',
          queries: [{ expr: 'sum by(status, severity) (swarm_lessons_by_status)', legend: '{{status}} {{severity}}' }],
          unit: 'short',
          width: 12,
          height: 8,
        }),
        timeseries({
          title: 'Lezioni nel tempo',
          description: 'Quante lezioni ci sono, per stato.',
          queries: [{ expr: 'sum by(status) (swarm_lessons_by_status)', legend: '{{status}}' }],
          unit: 'short',
          width: 12,
        }),
        timeseries({
          title: 'Lezioni applicate nel tempo',
          description: 'La quota di lezioni attive usate almeno una volta.',
          queries: [{ expr: 'max(swarm_kpi{kpi="lessons_applied_ratio"})', legend: 'applicate' }],
          unit: 'percentunit',
          width: 12,
          max: 1,
        }),
      ],
    },
    {
      title: 'Che cosa evitare',
      panels: [
        stat({
          title: 'Errori ripetuti (7 g)',
          description: 'Tipi di errore visti due o più volte negli ultimi 7 giorni; obiettivo: nessuno.',
          queries: [{ expr: 'max(swarm_window_repeated_errors{window="7d"})' }],
          unit: 'short',
          width: 6,
          height: 8,
          thresholds: lessIsBetter(1, 3),
        }),
        stat({
          title: 'Schemi di errore',
          description: 'Quanti schemi di errore la memoria conosce.',
          queries: [{ expr: 'sum(swarm_patterns_total)' }],
          unit: 'short',
          width: 6,
          height: 8,
        }),
        barGauge({
          title: 'Schemi per stato e gravità',
          description: 'Gli schemi attivi sono errori che possono tornare.',
          queries: [{ expr: 'sum by(status, severity) (swarm_patterns_by_status)', legend: '{{status}} {{severity}}' }],
          unit: 'short',
          width: 12,
          height: 8,
        }),
        timeseries({
          title: 'Ripetuti e nuovi',
          description: 'Se si impara, i ripetuti scendono anche quando i nuovi restano.',
          queries: [
            { expr: 'max(swarm_window_repeated_errors{window="7d"})', legend: 'ripetuti' },
            { expr: 'max(swarm_window_new_error_signatures{window="7d"})', legend: 'nuovi' },
          ],
          unit: 'short',
          width: 18,
        }),
        text(
          'Come leggerlo',
          'Come rispondere alla domanda con i pannelli accanto.',
          'Un errore **ripetuto** non ha ancora una lezione, o la sua lezione non viene usata. Guarda il riepilogo del venerdì per i testi.',
          6,
          8,
        ),
      ],
    },
  ],
};
