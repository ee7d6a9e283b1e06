import { gauge } from '../../lib/exposition.ts';
import { readLastArrivalMs } from '../../lib/memory/shipments.ts';
import type { Collector } from '../collector.ts';

/** Rows of other machines; absent where none has ever shipped any. */
export const shippingCollector: Collector = {
  name: 'shipping',
  collect: ({ memory: { db, schema } }) => {
    const lastArrivalMs = readLastArrivalMs(db, schema);
    return [
      gauge(
        'swarm_ship_last_success_timestamp_seconds',
        'When a machine that ships its rows here last did so, in seconds since the epoch.',
        lastArrivalMs === undefined ? [] : [[lastArrivalMs / 1_000]],
      ),
    ];
  },
};
