import { type Family, gauge } from '../../lib/exposition.ts';
import { lookAtFiles } from '../../lib/memory/files.ts';
import { lagOf, type Progress, progressAfter } from './lag.ts';
import { readUploads } from './uploads.ts';

/** Looks at the copying, and tells how far it is behind. @throws OperatorError, MemoryError if it cannot be looked at. */
export type ReplicationWatch = () => Promise<readonly Family[]>;

export interface WatchOptions {
  /** Where Litestream's metrics are; nothing is watched without it. */
  readonly url: string | undefined;
  readonly memoryPath: string;
  readonly clock: () => number;
}

/** A watch that learns from one scrape to the next: Litestream tells what it has done, and nowhere what it has yet to do. */
export function createReplicationWatch({ url, memoryPath, clock }: WatchOptions): ReplicationWatch {
  if (url === undefined) return async () => [];
  let progress: Progress | undefined;
  let looking: Promise<readonly Family[]> | undefined;

  const look = async (): Promise<readonly Family[]> => {
    // The memory first: what is written meanwhile is not taken for something that the uploads were counted after.
    const { writtenMs } = lookAtFiles(memoryPath);
    const uploads = await readUploads(url);
    progress = progressAfter(progress, { atMs: clock(), writtenMs, uploads });
    const lagMs = lagOf(progress);
    return [
      gauge(
        'swarm_replication_lag_seconds',
        'How long the oldest write to the memory that is not replicated has waited; 0 if none does, absent if it cannot be told.',
        [[lagMs === undefined ? undefined : lagMs / 1_000]],
      ),
    ];
  };
  return () => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}
