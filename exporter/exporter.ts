import type { AddressInfo } from 'node:net';
import type { Config } from '../lib/config.ts';
import { closeServer, listen } from '../lib/http-server.ts';
import type { Log } from '../lib/log.ts';
import { createMemoryReader } from '../lib/memory/reader.ts';
import { createIdleCollector } from '../lib/memory-footprint.ts';
import { readManualMinutes } from '../lib/projects.ts';
import { COLLECTORS } from './collectors/all.ts';
import { readFacts } from './facts.ts';
import { createScraper } from './scrape.ts';
import { createApp } from './server.ts';

/** A running exporter. */
export interface Exporter {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/**
 * Builds the exporter from its parts and starts it; the first reading of the memory begins at once.
 * @throws OperatorError if it cannot listen, UsageError if projects.json is wrong.
 */
export async function startExporter(config: Config, log: Log): Promise<Exporter> {
  const reader = createMemoryReader({
    path: config.swarmDbPath,
    timezone: config.timezone,
    manualMinutes: readManualMinutes(config.projectsFile),
  });
  const collector = createIdleCollector();
  const scraper = createScraper({
    config,
    reader,
    collectors: COLLECTORS,
    facts: readFacts,
    afterScrape: collector.touch,
  });
  const app = createApp({ config, reader, scraper });
  const server = await listen(app, { host: config.bindHost, port: config.exporterPort, variable: 'EXPORTER_PORT' });
  const { port } = server.address() as AddressInfo;
  log.info({ host: config.bindHost, port, database: config.swarmDbPath }, 'exporter is listening');
  void scraper.scrape().then(({ problem }) => {
    if (problem !== undefined) log.warn({ reason: problem }, 'the swarm memory cannot be read yet');
  });
  return {
    port,
    stop: async () => {
      reader.close();
      collector.stop();
      await closeServer(server);
    },
  };
}
