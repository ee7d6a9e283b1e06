import type { Row } from '../../dashboard.ts';
import { lessIsBetter, stat, table, timeseries } from '../../panels.ts';

const LAST_SUCCESS = 'swarm_slot_last_success_timestamp_seconds';

/** The timetable, the projects and the copies. */
export const upkeepRow: Row = {
  title: 'Calendario, progetti, copie',
  panels: [
    table({
      title: 'Attività del calendario',
      description: 'Quanto tempo fa ogni attività è riuscita, e con quanto ritardo.',
      queries: [
        {
          // What never succeeded has the time 0, and becomes -1.
          expr: `time() - max by(exported_job) (${LAST_SUCCESS} > 0) or max by(exported_job) (${LAST_SUCCESS}) - 1`,
          legend: 'Riuscita da',
          words: { '-1': { text: 'mai' } },
        },
        { expr: 'max by(exported_job) (swarm_slot_lateness_seconds)', legend: 'Ritardo' },
      ],
      by: ['exported_job'],
      unit: 's',
      width: 12,
    }),
    table({
      title: 'Progetti',
      description: 'L’esito dell’ultimo controllo di ogni progetto (1 bene, 0 male) e quanto è durato.',
      queries: [
        { expr: 'min by(project, check) (swarm_project_up)', legend: 'Bene' },
        { expr: 'max by(project, check) (swarm_project_check_seconds)', legend: 'Secondi' },
      ],
      by: ['project', 'check'],
      unit: 'short',
      width: 12,
    }),
    stat({
      title: 'Certificati',
      description: 'Quanto manca alla scadenza del certificato di ogni progetto.',
      queries: [
        { expr: 'min by(project) (swarm_certificate_expiry_timestamp_seconds) - time()', legend: '{{project}}' },
      ],
      unit: 's',
      width: 6,
      thresholds: [
        ['red', null],
        ['orange', 604_800],
        ['green', 2_592_000],
      ],
    }),
    stat({
      title: 'Ultima copia',
      description: 'Quanto tempo fa è riuscita l’ultima copia di ogni genere.',
      queries: [
        { expr: 'time() - max by(kind) (swarm_backup_last_success_timestamp_seconds > 0)', legend: '{{kind}}' },
      ],
      unit: 's',
      width: 6,
      noValue: 'Mai',
    }),
    stat({
      title: 'Prova di ripristino',
      description: 'Se l’ultima copia si è davvero potuta ripristinare.',
      queries: [{ expr: 'min(swarm_restore_drill_success)' }],
      unit: 'short',
      width: 4,
      words: { '1': { text: 'Riuscita', color: 'green' }, '0': { text: 'Fallita', color: 'red' } },
    }),
    stat({
      title: 'Ritardo della replica',
      description: 'Di quanto la copia continua è indietro.',
      queries: [{ expr: 'max(swarm_replication_lag_seconds)' }],
      unit: 's',
      width: 4,
      thresholds: lessIsBetter(60, 300),
      noValue: 'Replica spenta',
    }),
    stat({
      title: 'Righe da altre macchine',
      description: 'Quanto tempo fa un’altra macchina ha mandato le sue righe.',
      queries: [{ expr: 'time() - max(swarm_ship_last_success_timestamp_seconds > 0)' }],
      unit: 's',
      width: 4,
      noValue: 'Nessuna',
    }),
    timeseries({
      title: 'Dimensione delle copie',
      description: 'Quanto pesa ogni copia: un salto in basso è sospetto.',
      queries: [{ expr: 'max(swarm_backup_size_bytes)', legend: 'copia' }],
      unit: 'bytes',
      width: 8,
    }),
    timeseries({
      title: 'Messaggi e approvazioni',
      description: 'Messaggi mandati o falliti, e approvazioni chieste, nelle 24 ore precedenti.',
      queries: [
        { expr: 'sum by(outcome) (increase(swarm_notifications_total[24h]))', legend: 'messaggi {{outcome}}' },
        { expr: 'sum by(decision) (increase(swarm_approvals_total[24h]))', legend: 'approvazioni {{decision}}' },
      ],
      unit: 'short',
      width: 8,
    }),
    timeseries({
      title: 'Webhook',
      description: 'Consegne di GitHub per evento ed esito, nelle 24 ore precedenti.',
      queries: [
        {
          expr: 'sum by(event, outcome) (increase(swarm_webhook_deliveries_total[24h]))',
          legend: '{{event}} {{outcome}}',
        },
      ],
      unit: 'short',
      width: 8,
    }),
  ],
};
