import type { Row } from '../../dashboard.ts';
import { barGauge, lessIsBetter, timeseries } from '../../panels.ts';

const DISKS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660"';

/** The machine, and the programs that watch it. */
export const hostRow: Row = {
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
};
