import type { Row } from '../../dashboard.ts';
import { barGauge, lessIsBetter, stat, stateTimeline, timeseries } from '../../panels.ts';

/** The queue, its workers, and what they cost. */
export const queueRow: Row = {
  title: 'Coda e lavoratori',
  panels: [
    timeseries({
      title: 'Coda per stato',
      description: 'Task in coda, attivi, rimandati, falliti.',
      queries: [{ expr: 'sum by(state) (swarm_queue_jobs)', legend: '{{state}}' }],
      unit: 'short',
      width: 8,
    }),
    timeseries({
      title: 'Attesa del più vecchio',
      description: 'Da quanto aspetta il task più vecchio della coda.',
      queries: [{ expr: 'max(swarm_queue_oldest_waiting_seconds)', legend: 'attesa' }],
      unit: 's',
      width: 8,
    }),
    stateTimeline({
      title: 'Coda in pausa',
      description: 'Quando la coda era ferma, e perché.',
      queries: [{ expr: 'max by(reason) (swarm_queue_paused)', legend: '{{reason}}' }],
      unit: 'short',
      width: 8,
      words: { '1': { text: 'Pausa', color: 'orange' }, '0': { text: 'Attiva', color: 'green' } },
    }),
    timeseries({
      title: 'Lavoratori',
      description: 'Quanti girano e quanti ne vorrebbe l’autoscaler.',
      queries: [{ expr: 'sum by(kind) (swarm_workers)', legend: '{{kind}}' }],
      unit: 'short',
      width: 8,
    }),
    timeseries({
      title: 'Segnale dell’autoscaler',
      description: 'Le parti del segnale (CPU, memoria, coda, task): da 1 in su chiede più lavoratori.',
      queries: [{ expr: 'max by(part) (swarm_autoscaler_signal)', legend: '{{part}}' }],
      unit: 'short',
      width: 8,
    }),
    stat({
      title: 'Veti dell’autoscaler',
      description: 'Perché non se ne aggiungono altri: 1 è un veto in corso.',
      queries: [{ expr: 'max by(reason) (swarm_autoscaler_veto)', legend: '{{reason}}' }],
      unit: 'short',
      width: 4,
      height: 8,
      thresholds: lessIsBetter(1, 2),
    }),
    stat({
      title: 'In corso',
      description: 'Task iniziati e non ancora finiti.',
      queries: [{ expr: 'sum(swarm_tasks_in_progress)', legend: 'task' }],
      unit: 'short',
      width: 4,
      height: 8,
    }),
    barGauge({
      title: 'Budget usato',
      description:
        'Speso e impegnato rispetto al limite di ogni periodo; all’80% parte un avviso, al 100% la coda si ferma.',
      queries: [
        {
          expr: 'sum by(period) (swarm_budget_usd{kind=~"spent|reserved"}) / sum by(period) (swarm_budget_usd{kind="limit"} > 0)',
          legend: '{{period}}',
        },
      ],
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: lessIsBetter(0.8, 1),
    }),
    timeseries({
      title: 'Modelli di riserva',
      description: 'Ogni quanto un modello ha dovuto cedere il posto a un altro, nelle 24 ore precedenti.',
      queries: [
        {
          expr: 'sum by(from, to) (increase(swarm_model_fallbacks_total[24h]))',
          legend: '{{from}} → {{to}}',
        },
      ],
      unit: 'short',
      width: 8,
    }),
    timeseries({
      title: 'Sicurezza e orfani',
      description:
        'Firme errate, sconosciuti, segreti cancellati, e processi orfani eliminati, nelle 24 ore precedenti.',
      queries: [
        { expr: 'sum by(kind) (increase(swarm_security_events_total[24h]))', legend: '{{kind}}' },
        { expr: 'sum(increase(swarm_orphans_swept_total[24h]))', legend: 'orfani' },
      ],
      unit: 'short',
      width: 8,
    }),
  ],
};
