import { counter, type Family, type Labels } from '../lib/exposition.ts';

/** A counter of this process. */
interface CounterDefinition {
  readonly name: string;
  readonly help: string;
  /** Every series there is: each is 0 from the start, so that its first step is seen as a growth. */
  readonly series: readonly Labels[];
}

/** Every counter of the scheduler. To add one: an entry here, and `counters.add` where it happens. */
export const COUNTERS = {
  securityEvents: {
    name: 'swarm_security_events_total',
    help: 'What somebody tried, or nearly gave away.',
    series: ['bad-signature', 'stranger', 'forged-callback', 'second-poller', 'secret-scrubbed'].map((kind) => ({
      kind,
    })),
  },
  notifications: {
    name: 'swarm_notifications_total',
    help: 'Messages for the phone: sent, told together with another, or not taken by Telegram, after which they wait.',
    series: ['sent', 'merged', 'failed'].map((outcome) => ({ outcome })),
  },
  approvals: {
    name: 'swarm_approvals_total',
    help: 'What became of tasks that needed a yes; refused: a button that was used, expired or never given out.',
    series: ['granted', 'rejected', 'expired', 'refused'].map((decision) => ({ decision })),
  },
  webhookDeliveries: {
    name: 'swarm_webhook_deliveries_total',
    help: "What became of the deliveries of GitHub's webhook.",
    series: [
      ...['queued', 'duplicate', 'over-cap', 'withdrawn', 'ignored', 'refused'].map((outcome) => ({
        event: 'pull_request',
        outcome,
      })),
      ...['answered', 'refused'].map((outcome) => ({ event: 'ping', outcome })),
      ...['ignored', 'refused', 'unsigned', 'too-large'].map((outcome) => ({ event: 'other', outcome })),
    ],
  },
} as const satisfies Record<string, CounterDefinition>;

type CounterName = keyof typeof COUNTERS;

/** The counters of a process. */
export interface Counters {
  /** Counts one more. Labels must be one of the series of its definition: others are a mistake of ours, and not counted. */
  readonly add: (name: CounterName, labels: Labels) => void;
  readonly families: () => readonly Family[];
}

/** Counters that begin at 0. */
export function createCounters(): Counters {
  const values = new Map<string, number>(
    Object.values(COUNTERS).flatMap(({ name, series }) => series.map((labels) => [keyOf(name, labels), 0] as const)),
  );
  return {
    add: (counterName, labels) => {
      const key = keyOf(COUNTERS[counterName].name, labels);
      const value = values.get(key);
      if (value !== undefined) values.set(key, value + 1);
    },
    families: () =>
      Object.values(COUNTERS).map(({ name, help, series }) =>
        counter(
          name,
          help,
          series.map((labels) => [values.get(keyOf(name, labels)), labels]),
        ),
      ),
  };
}

/** Labels in whatever order are the same series. */
function keyOf(name: string, labels: Labels): string {
  return JSON.stringify([name, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
