import { type RoomProcess, startRoom } from './room-process.ts';
import { parseSamples, type Samples } from './running-exporter.ts';

/** The built scheduler, running on a free port. */
export interface RunningScheduler extends RoomProcess {
  readonly samples: () => Promise<Samples>;
  readonly readiness: () => Promise<{ readonly status: number; readonly reason?: string }>;
}

/** Starts `dist/scheduler/main.js` in a folder, without a Redis unless `env` names one, and waits until it listens. */
export async function startScheduler(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningScheduler> {
  const room = await startRoom('scheduler', {
    cwd,
    env: { SCHEDULER_PORT: '0', REDIS_URL: 'redis://127.0.0.1:1', ...env },
  });
  return {
    ...room,
    samples: async () => parseSamples(await (await fetch(`${room.url}/metrics`)).text()),
    readiness: async () => {
      const response = await fetch(`${room.url}/readyz`);
      const { reason } = (await response.json()) as { reason?: string };
      return { status: response.status, ...(reason === undefined ? {} : { reason }) };
    },
  };
}
