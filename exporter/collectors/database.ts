import { gauge } from '../../lib/exposition.ts';
import { SCHEMA_STATES } from '../../lib/memory/schema.ts';
import { OPEN_MODES } from '../../lib/memory/source.ts';
import type { Collector } from '../collector.ts';

/** The file itself: how large, how fresh, how it was opened, which shape it has. */
export const databaseCollector: Collector = {
  name: 'database',
  collect: ({ memory }) => {
    const { files, mode, schema } = memory;
    return [
      gauge('swarm_db_size_bytes', 'Size of the swarm memory, without its -wal.', [[files.sizeBytes]]),
      gauge('swarm_db_wal_size_bytes', 'Size of its -wal; 0 while it is at rest.', [[files.walSizeBytes]]),
      gauge('swarm_db_modified_timestamp_seconds', 'When the memory was last written to, in seconds since the epoch.', [
        [files.modifiedMs / 1_000],
      ]),
      gauge(
        'swarm_db_open_mode',
        'How the memory was opened: live with locks, or immutable while at rest.',
        OPEN_MODES.map((each) => [Number(each === mode), { mode: each }]),
      ),
      gauge(
        'swarm_schema_info',
        'Shape of the tables, A to G as documented, else other.',
        SCHEMA_STATES.filter((state) => state === schema.state).map((state) => [1, { state }]),
      ),
    ];
  },
};
