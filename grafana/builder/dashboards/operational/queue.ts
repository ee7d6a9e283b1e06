import type { Row } from '../../dashboard.ts';
import { GATE_NAMES, PERIOD_NAMES, SIGNAL_NAMES, STATE_NAMES, VETO_NAMES, WORKER_NAMES } from '../../italian.ts';
import { barGauge, lessIsBetter, stat, stateTimeline, timeseries } from '../../panels.ts';

/** Of a reason to hold back. */
const IN_FORCE = { '1': { text: 'Sì', color: 'orange' }, '0': { text: 'No', color: 'green' } };

/** The queue, its workers, and what they cost. */
export const queueRow: Row = {
  title: 'Coda e lavoratori',
  panels: [
    timeseries({
      title: 'Coda per stato',
      description:
        'Task in attesa, al lavoro, rimandati; i riusciti e i falliti sono quelli che la coda ricorda ancora.',
      // Each orchestrator counts the same queue.
      queries: [{ expr: 'max by(state) (swarm_queue_jobs)', legend: '{{state}}' }],
      names: STATE_NAMES,
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
      description: 'Quando la coda era ferma, e perché. I task già al lavoro continuano.',
      queries: [{ expr: 'max by(reason) (swarm_queue_paused)', legend: '{{reason}}' }],
      names: GATE_NAMES,
      unit: 'short',
      width: 8,
      words: IN_FORCE,
    }),
    timeseries({
      title: 'Lavoratori',
      description: 'Quanti hanno un task, e quanti ne vuole l’autoscaler.',
      queries: [{ expr: 'sum by(kind) (swarm_workers)', legend: '{{kind}}' }],
      names: WORKER_NAMES,
      unit: 'short',
      width: 8,
    }),
    timeseries({
      title: 'Segnale dell’autoscaler',
      description:
        'Le parti del segnale, ciascuna rispetto al suo obiettivo, e la loro somma pesata: sopra 1,1 chiede più lavoratori, sotto 0,7 meno. Assente nel primo minuto.',
      queries: [{ expr: 'max by(part) (swarm_autoscaler_signal)', legend: '{{part}}' }],
      names: SIGNAL_NAMES,
      unit: 'short',
      width: 8,
    }),
    stateTimeline({
      title: 'Veti dell’autoscaler',
      description: 'Quando la macchina, o il modello, non permetteva altri lavoratori, e perché.',
      queries: [{ expr: 'max by(reason) (swarm_autoscaler_veto)', legend: '{{reason}}' }],
      names: VETO_NAMES,
      unit: 'short',
      width: 8,
      words: IN_FORCE,
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
      names: PERIOD_NAMES,
      unit: 'percentunit',
      width: 6,
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
      width: 6,
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
      width: 6,
    }),
    stat({
      title: 'Iniziati e non finiti',
      description: 'Righe di inizio senza una di fine, nella memoria: le scrivono gli script, non la coda.',
      queries: [{ expr: 'sum(swarm_tasks_in_progress)', legend: 'task' }],
      unit: 'short',
      width: 6,
      height: 8,
    }),
  ],
};
