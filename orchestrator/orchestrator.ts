import type { AddressInfo } from 'node:net';
import type { Config, WorkConfig } from '../lib/config.ts';
import { closeServer, listen } from '../lib/http-server.ts';
import type { Log } from '../lib/log.ts';
import { createIdleCollector } from '../lib/memory-footprint.ts';
import { readProjects } from '../lib/projects.ts';
import { connectForGood } from '../lib/queue/connection.ts';
import { type Engine, type EngineOverrides, startEngine } from './engine.ts';
import { createApp } from './server.ts';

/** A running orchestrator. */
export interface Orchestrator {
  readonly port: number;
  /** Takes no more tasks, waits for those under way up to DRAIN_MINUTES, gives back what is left, and ends. */
  readonly stop: () => Promise<void>;
  /** Makes a `stop` under way wait no longer. */
  readonly hurry: () => void;
}

const ANSWER_WITHIN_MS = 2_000;

/**
 * Starts the orchestrator; Redis may come later: until then it is not ready.
 * @throws OperatorError if it cannot listen, UsageError if projects.json is wrong. Nothing is left running then.
 */
export async function startOrchestrator(
  config: Config,
  work: WorkConfig,
  log: Log,
  overrides: EngineOverrides = {},
): Promise<Orchestrator> {
  readProjects(config.projectsFile);
  const redis = connectForGood(work);
  const shortRedis = connectForGood(work, ANSWER_WITHIN_MS);
  const connections = [redis, shortRedis];
  for (const connection of connections) connection.on('error', warnOnce(log));
  const disconnect = (): void => {
    for (const connection of connections) connection.disconnect();
  };
  const collector = createIdleCollector();
  let engine: Engine | undefined;
  const app = await createApp({
    adminPassword: config.adminPassword,
    redis,
    findReasonNotReady: async () => (engine ? await engine.findReasonNotReady() : 'starting'),
    collectMetrics: async () => {
      collector.touch();
      return (await engine?.collectMetrics()) ?? [];
    },
  });
  const place = { host: config.bindHost, port: work.orchestratorPort, variable: 'ORCHESTRATOR_PORT' };
  const server = await listen(app, place).catch((error: unknown) => {
    disconnect();
    throw error;
  });
  const running = startEngine({ config, work, redis, shortRedis, log, ...overrides });
  engine = running;
  const { port } = server.address() as AddressInfo;
  log.info({ host: config.bindHost, port, recorder: work.recorder }, 'orchestrator is listening');
  // What only the start needed is given back, also where nobody scrapes.
  collector.touch();

  let hurry: () => void = () => {};
  const hurried = new Promise<void>((resolve) => {
    hurry = resolve;
  });
  return {
    port,
    hurry,
    stop: async () => {
      await running.stop(hurried);
      collector.stop();
      await closeServer(server);
      disconnect();
    },
  };
}

/** A connection that comes and goes says so once, not with every try. */
function warnOnce(log: Log): (error: Error) => void {
  let last = '';
  return (error) => {
    if (error.message !== last) log.warn({ reason: error.message }, 'Redis cannot be reached');
    last = error.message;
  };
}
