import { loadConfig, loadWorkConfig } from '../lib/config.ts';
import { acceptNoArguments, runMain, stopOnSignal } from '../lib/lifecycle.ts';
import { createLog } from '../lib/log.ts';
import { keepHeapSmall } from '../lib/memory-footprint.ts';
import { startOrchestrator } from './orchestrator.ts';

runMain(async () => {
  acceptNoArguments('dist/orchestrator/main.js');
  keepHeapSmall();
  const config = loadConfig();
  const work = loadWorkConfig();
  const log = createLog('orchestrator', config.logLevel);
  const orchestrator = await startOrchestrator(config, work, log);
  stopOnSignal(log, [orchestrator.stop], { hurry: orchestrator.hurry });
});
