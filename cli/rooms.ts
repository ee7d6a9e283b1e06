import type { Config } from '../lib/config.ts';
import { loadCommandConfig, loadCommandScheduler, loadCommandWork } from './command.ts';

/** A room as the command line meets it: its name and where it listens. */
export interface Room {
  readonly name: string;
  /** By the settings of this command. */
  readonly port: () => number;
}

/** The rooms there are. */
export const ROOMS: readonly Room[] = [
  { name: 'exporter', port: () => loadCommandConfig().exporterPort },
  { name: 'scheduler', port: () => loadCommandScheduler().schedulerPort },
  { name: 'orchestrator', port: () => loadCommandWork().orchestratorPort },
];

const ANSWER_WITHIN_MS = 3_000;

/** Asks a room whether it can do its work. */
export async function askRoom(
  room: Room,
  config: Config,
): Promise<{ readonly state: 'ready' | 'not ready' | 'not running'; readonly detail: string }> {
  const host = ['0.0.0.0', '::'].includes(config.bindHost) ? '127.0.0.1' : config.bindHost;
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${room.port()}`;
  try {
    const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const body = (await response.json()) as { reason?: unknown };
    return {
      state: response.ok ? 'ready' : 'not ready',
      detail: response.ok ? address : String(body.reason ?? address),
    };
  } catch {
    return { state: 'not running', detail: `nothing of ours answers on ${address}` };
  }
}
