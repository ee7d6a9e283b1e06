// The orchestrator, quick to notice the death of another: node orchestrator-process.mjs
// Everything else is as in dist/orchestrator/main.js; the settings come from the environment.
const TIMINGS = { lockMs: 3_000, stalledCheckMs: 1_000 };

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const { loadConfig, loadWorkConfig } = await built('lib/config.js');
const { runMain, stopOnSignal } = await built('lib/lifecycle.js');
const { createLog } = await built('lib/log.js');
const { startOrchestrator } = await built('orchestrator/orchestrator.js');

runMain(async () => {
  const config = loadConfig();
  const log = createLog('orchestrator', config.logLevel);
  const orchestrator = await startOrchestrator(config, loadWorkConfig(), log, { timings: TIMINGS });
  stopOnSignal(log, [orchestrator.stop], { hurry: orchestrator.hurry });
});
