import { loadConfig } from '../lib/config.ts';
import { acceptNoArguments, runMain, stopOnSignal } from '../lib/lifecycle.ts';
import { createLog } from '../lib/log.ts';
import { keepHeapSmall } from '../lib/memory-footprint.ts';
import { startExporter } from './exporter.ts';

runMain(async () => {
  acceptNoArguments('dist/exporter/main.js');
  keepHeapSmall();
  const config = loadConfig();
  const log = createLog('exporter', config.logLevel);
  const exporter = await startExporter(config, log);
  stopOnSignal(log, [exporter.stop]);
});
