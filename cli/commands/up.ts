import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { startExporter } from '../../exporter/exporter.ts';
import { loadConfig, readEnvironment } from '../../lib/config.ts';
import { describeError } from '../../lib/errors.ts';
import { stopOnSignal } from '../../lib/lifecycle.ts';
import { createLog, type Log } from '../../lib/log.ts';
import { createDemoMemory, growDemoMemory } from '../../lib/memory/demo/demo.ts';
import { keepHeapSmall } from '../../lib/memory-footprint.ts';
import { writeRunFile } from '../../lib/run-file.ts';
import type { AddCommand } from '../command.ts';

const DEMO_PATH = './data/demo/swarm_memory.db';
const DEMO_DAYS = 30;
/** Slow enough not to fill a disk, quick enough to see something move. */
const GROW_EVERY_MS = 20_000;

/** `swarm up`: every room in one process. */
export const addUpCommand: AddCommand = (program) => {
  program
    .command('up')
    .description('run everything in one process; without SWARM_DB_PATH on a demo memory that grows')
    .action(up);
};

async function up(): Promise<void> {
  keepHeapSmall();
  const environment = readEnvironment();
  const isDemo = !environment.SWARM_DB_PATH && !environment.SWARM_DB_PATH_FILE;
  const config = loadConfig(isDemo ? { ...environment, SWARM_DB_PATH: DEMO_PATH } : environment);
  const log = createLog('up', config.logLevel);
  if (isDemo) prepareDemo(log, config.swarmDbPath, config.timezone);
  const exporter = await startExporter(config, createLog('exporter', config.logLevel));
  const removeRunFile = writeRunFile({
    SWARM_DB_PATH: config.swarmDbPath,
    BIND_HOST: config.bindHost,
    EXPORTER_PORT: String(exporter.port),
  });
  const stopGrowing = isDemo ? growSlowly(log, config.swarmDbPath, config.timezone) : () => {};
  stopOnSignal(log, [exporter.stop, removeRunFile, stopGrowing]);
  const page = `http://${config.bindHost}:${exporter.port}/`;
  log.info({ page }, isDemo ? 'up, with made-up demo data' : 'up');
  process.stderr.write(
    `\nThe swarm monitor is up: ${page}${isDemo ? ' (on made-up demo data)' : ''}. Ctrl-C stops it.\n\n`,
  );
}

function prepareDemo(log: Log, path: string, timezone: string): void {
  if (existsSync(path)) return;
  createDemoMemory({ path, seed: 1, days: DEMO_DAYS, untilMs: Date.now(), timezone });
  log.info({ path: resolve(path) }, 'made a demo memory, since SWARM_DB_PATH is not set');
}

function growSlowly(log: Log, path: string, timezone: string): () => void {
  const grow = (): void => {
    try {
      growDemoMemory(path, Date.now(), timezone);
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'the demo memory did not grow');
    }
  };
  const timer = setInterval(grow, GROW_EVERY_MS);
  return () => clearInterval(timer);
}
