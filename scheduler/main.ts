import { acceptNoArguments, runMain, stopOnSignal } from '../lib/lifecycle.ts';
import { createLog } from '../lib/log.ts';
import { keepHeapSmall } from '../lib/memory-footprint.ts';
import { startScheduler } from './scheduler.ts';
import { readSettings } from './settings.ts';

runMain(async () => {
  acceptNoArguments('dist/scheduler/main.js');
  keepHeapSmall();
  const settings = readSettings();
  const log = createLog('scheduler', settings.config.logLevel);
  const scheduler = await startScheduler(settings, log);
  stopOnSignal(log, [scheduler.stop]);
});
