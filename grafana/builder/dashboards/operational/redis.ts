import type { Row } from '../../dashboard.ts';
import { lessIsBetter, stat, timeseries, UP_DOWN, YES_NO } from '../../panels.ts';

/** Redis, as the orchestrator sees it, and what waits there for the memory. */
export const redisRow: Row = {
  title: 'Redis e risultati',
  panels: [
    stat({
      title: 'Redis',
      description: 'Se Redis risponde: senza, nessun task parte e nessuno se ne può aggiungere.',
      queries: [{ expr: 'min(swarm_redis_up)' }],
      unit: 'short',
      width: 4,
      height: 8,
      words: UP_DOWN,
    }),
    stat({
      title: 'Scrive su disco',
      description:
        'Se Redis annota su disco (append-only file) ciò che gli si affida, e se l’ultima volta ci è riuscito.',
      queries: [{ expr: 'min(swarm_redis_persistent)' }],
      unit: 'short',
      width: 4,
      height: 8,
      words: YES_NO,
      noValue: 'Redis non lo dice',
    }),
    timeseries({
      title: 'Memoria di Redis',
      description:
        'Quota usata del suo limite, o della memoria della macchina se non ne ha. All’80% parte un avviso: al 100% rifiuta ogni scrittura.',
      queries: [
        {
          expr: 'max(swarm_redis_memory_bytes{kind="used"}) / (max(swarm_redis_memory_bytes{kind="limit"}) > 0)',
          legend: 'in uso',
        },
      ],
      unit: 'percentunit',
      width: 6,
      decimals: 1,
      max: 1,
      thresholds: lessIsBetter(0.6, 0.8),
    }),
    timeseries({
      title: 'Connessioni a Redis',
      description: 'Se crescono senza sosta, qualcuno non le chiude.',
      queries: [{ expr: 'max(swarm_redis_clients)', legend: 'connessioni' }],
      unit: 'short',
      width: 4,
    }),
    timeseries({
      title: 'Risultati da registrare',
      description:
        'Risultati che non sono ancora nella memoria dello sciame. Di norma zero: se restano, il recorder non riesce a scrivere. Nessuno va perso.',
      queries: [{ expr: 'max(swarm_results_waiting)', legend: 'risultati' }],
      unit: 'short',
      width: 6,
    }),
  ],
};
