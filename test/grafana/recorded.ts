/** Series of a program that the test with a real Prometheus cannot run: the value at first, and its growth at each scrape. */
type Series = readonly [labels: string, value: number, growth?: number];
type Metrics = Readonly<Record<string, readonly Series[]>>;

const GIB = 2 ** 30;

/** What the orchestrator exports only after its first minute, for which no test of panels waits. */
export const LATE: Readonly<Record<string, Metrics>> = {
  'swarm-orchestrator': {
    swarm_autoscaler_signal: [
      ['part="cpu"', 0.4],
      ['part="memory"', 0.7],
      ['part="queue"', 1],
      ['part="tasks"', 1],
      ['part="sum"', 0.7],
    ],
  },
};

/** What other people's programs export, of that which their jobs keep. */
export const FOREIGN: Readonly<Record<string, Metrics>> = {
  alertmanager: {
    process_resident_memory_bytes: [['', 34e6]],
    alertmanager_notifications_total: [['integration="telegram"', 3, 1]],
    alertmanager_notifications_failed_total: [['integration="telegram"', 0]],
  },
  grafana: { process_resident_memory_bytes: [['', 250e6]] },
  node: {
    node_cpu_seconds_total: [
      ['cpu="0",mode="idle"', 1_000, 0.6],
      ['cpu="0",mode="user"', 300, 0.4],
    ],
    node_memory_MemTotal_bytes: [['', 4 * GIB]],
    node_memory_MemAvailable_bytes: [['', 2 * GIB]],
    node_filesystem_size_bytes: [
      ['device="/dev/sda1",fstype="ext4",mountpoint="/"', 40 * GIB],
      ['device="tmpfs",fstype="tmpfs",mountpoint="/run"', GIB],
    ],
    node_filesystem_avail_bytes: [
      ['device="/dev/sda1",fstype="ext4",mountpoint="/"', 10 * GIB],
      ['device="tmpfs",fstype="tmpfs",mountpoint="/run"', GIB],
    ],
    node_network_receive_bytes_total: [
      ['device="lo"', 1, 1],
      ['device="eth0"', 5_000, 700],
    ],
    node_network_transmit_bytes_total: [
      ['device="lo"', 1, 1],
      ['device="eth0"', 3_000, 300],
    ],
  },
};

/** The text form of metrics when they are scraped for the `scrape`th time. */
export function textOf(metrics: Metrics, scrape: number): string {
  return Object.entries(metrics)
    .flatMap(([name, series]) =>
      series.map(([labels, value, growth = 0]) => `${name}{${labels}} ${value + growth * scrape}\n`),
    )
    .join('');
}
