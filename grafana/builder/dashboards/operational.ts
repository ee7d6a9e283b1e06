import type { DashboardSpec } from '../dashboard.ts';
import { barGauge, lessIsBetter, stat, stateTimeline, table, timeseries, UP_DOWN } from '../panels.ts';

const DISKS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660"';

/** Level 2: does every part work? */
export const operational: DashboardSpec = {
  uid: 'swarm-operational',
  title: 'Sciame · Salute',
  description: 'Ogni parte funziona? Componenti, memoria, coda, calendario, copie, macchina.',
  level: 'operational',
  variables: [],
  from: 'now-24h',
  rows: [
    {
      title: 'Componenti e memoria dello sciame',
      panels: [
        stateTimeline({
          title: 'Componenti nel tempo',
          description: 'Quando ogni parte rispondeva a Prometheus.',
          queries: [{ expr: 'min by(job) (up)', legend: '{{job}}' }],
          unit: 'short',
          width: 12,
          words: UP_DOWN,
        }),
        stat({
          title: 'Memoria leggibile',
          description: 'Se l’exporter riesce a leggere swarm_memory.db.',
          queries: [{ expr: 'min(swarm_up)' }],
          unit: 'short',
          width: 4,
          height: 8,
          words: UP_DOWN,
        }),
        stat({
          title: 'Ultima scrittura',
          description: 'Quanto tempo fa qualcuno ha scritto nella memoria. Ferma per giorni: gli hook non scrivono.',
          queries: [{ expr: 'time() - max(swarm_db_modified_timestamp_seconds)' }],
          unit: 's',
          width: 4,
          height: 8,
          thresholds: lessIsBetter(86_400, 259_200),
        }),
        stat({
          title: 'Raccolte fallite',
          description: 'Parti della memoria che non si riescono a contare; le altre metriche restano giuste.',
          queries: [{ expr: 'count(swarm_collector_success == 0) or vector(0)' }],
          unit: 'short',
          width: 4,
          height: 8,
          thresholds: lessIsBetter(1, 2),
        }),
        timeseries({
          title: 'Dimensione della memoria',
          description: 'Il file e il suo write-ahead log. Un log che cresce sempre: qualcuno tiene aperta una lettura.',
          queries: [
            { expr: 'max(swarm_db_size_bytes)', legend: 'file' },
            { expr: 'max(swarm_db_wal_size_bytes)', legend: 'WAL' },
          ],
          unit: 'bytes',
          width: 8,
        }),
        timeseries({
          title: 'Tempo di lettura',
          description: 'Quanto dura ogni lettura della memoria, per parte.',
          queries: [{ expr: 'max by(collector) (swarm_collector_duration_seconds)', legend: '{{collector}}' }],
          unit: 's',
          width: 8,
        }),
        table({
          title: 'Versioni',
          description: 'Che cosa gira, e la forma della memoria.',
          queries: [{ expr: 'count by(version, revision, node) (swarm_build_info)', legend: 'Istanze' }],
          by: ['version', 'revision', 'node'],
          unit: 'short',
          width: 8,
        }),
      ],
    },
    {
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
    },
    {
      title: 'Calendario, progetti, copie',
      panels: [
        table({
          title: 'Attività del calendario',
          description: 'Quanto tempo fa ogni attività è riuscita (più di cinquant’anni: mai), e con quanto ritardo.',
          queries: [
            {
              expr: 'time() - max by(exported_job) (swarm_slot_last_success_timestamp_seconds)',
              legend: 'Riuscita da',
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
          description: 'Quanto tempo fa è riuscita l’ultima copia di ogni genere. Più di cinquant’anni: mai.',
          queries: [
            { expr: 'time() - max by(kind) (swarm_backup_last_success_timestamp_seconds)', legend: '{{kind}}' },
          ],
          unit: 's',
          width: 6,
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
    },
    {
      title: 'La macchina e il monitoraggio',
      panels: [
        timeseries({
          title: 'CPU',
          description: 'Quota di CPU usata sulla VM.',
          queries: [{ expr: '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', legend: 'in uso' }],
          unit: 'percentunit',
          width: 6,
          max: 1,
        }),
        timeseries({
          title: 'Memoria',
          description: 'Quota di memoria usata; oltre il 90% il kernel può uccidere processi.',
          queries: [{ expr: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes', legend: 'in uso' }],
          unit: 'percentunit',
          width: 6,
          max: 1,
          thresholds: lessIsBetter(0.8, 0.9),
        }),
        barGauge({
          title: 'Disco',
          description: 'Quota usata di ogni disco; all’80% parte un avviso.',
          queries: [
            {
              expr: `1 - node_filesystem_avail_bytes{${DISKS}} / (node_filesystem_size_bytes{${DISKS}} > 0)`,
              legend: '{{mountpoint}}',
            },
          ],
          unit: 'percentunit',
          width: 6,
          max: 1,
          thresholds: lessIsBetter(0.8, 0.9),
        }),
        timeseries({
          title: 'Rete',
          description: 'Byte al secondo in entrata e in uscita.',
          queries: [
            {
              expr: 'sum(rate(node_network_receive_bytes_total{device!="lo"}[$__rate_interval]))',
              legend: 'in entrata',
            },
            {
              expr: 'sum(rate(node_network_transmit_bytes_total{device!="lo"}[$__rate_interval]))',
              legend: 'in uscita',
            },
          ],
          unit: 'Bps',
          width: 6,
        }),
        timeseries({
          title: 'Memoria del monitoraggio',
          description: 'Memoria residente di Prometheus, Alertmanager e Grafana.',
          queries: [{ expr: 'max by(job) (process_resident_memory_bytes)', legend: '{{job}}' }],
          unit: 'bytes',
          width: 8,
        }),
        timeseries({
          title: 'Notifiche degli allarmi',
          description: 'Messaggi di Alertmanager, per canale, nelle 24 ore precedenti; i falliti a parte.',
          queries: [
            {
              expr: 'sum by(integration) (increase(alertmanager_notifications_total[24h]))',
              legend: '{{integration}}',
            },
            {
              expr: 'sum by(integration) (increase(alertmanager_notifications_failed_total[24h]))',
              legend: '{{integration}} falliti',
            },
          ],
          unit: 'short',
          width: 8,
        }),
        timeseries({
          title: 'Storia in Prometheus',
          description: 'Quanto spazio occupa la storia (limite 1 GB); zero nelle prime due ore.',
          queries: [{ expr: 'max(prometheus_tsdb_storage_blocks_bytes)', legend: 'spazio' }],
          unit: 'bytes',
          width: 8,
        }),
      ],
    },
  ],
};
