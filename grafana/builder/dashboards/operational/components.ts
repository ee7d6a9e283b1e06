import type { Row } from '../../dashboard.ts';
import { lessIsBetter, stat, stateTimeline, table, timeseries, UP_DOWN } from '../../panels.ts';

/** What runs, and whether the memory can be read. */
export const componentsRow: Row = {
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
      description: 'Parti che l’exporter o l’orchestratore non riescono a contare; le altre metriche restano giuste.',
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
};
