// The orchestrator as it is, but for its agents: they start no program, need no worktree, and are done at once.
import { loadConfig, loadWorkConfig } from '../lib/config.ts';
import { runMain, stopOnSignal } from '../lib/lifecycle.ts';
import { createLog } from '../lib/log.ts';
import { keepHeapSmall } from '../lib/memory-footprint.ts';
import type { EngineOverrides } from '../orchestrator/engine.ts';
import { startOrchestrator } from '../orchestrator/orchestrator.ts';
import type { RunEnd } from '../orchestrator/runner/run-end.ts';

const NOTHING_DONE: RunEnd = {
  outcome: 'ok',
  isInterrupted: false,
  isUnknownSession: false,
  hasSession: false,
  costUsd: 0,
  usage: [],
  turns: 0,
  durationMs: 0,
  denials: [],
  retriesOverloaded: 0,
};

const EMPTY_AGENTS: EngineOverrides['agents'] = {
  checkProject: async () => undefined,
  agentFor: async () => ({ program: '', args: [], environment: {} }),
  runAgent: async () => NOTHING_DONE,
  worktrees: {
    open: async ({ taskId }) => ({ path: '', branch: `swarm/${taskId}`, baseCommit: '' }),
    close: async () => ({ branch: undefined, commits: 0, filesChanged: 0 }),
    find: async () => undefined,
    prune: async () => ({ removed: 0, keptBytes: 0 }),
  },
};

runMain(async () => {
  keepHeapSmall();
  const config = loadConfig();
  const log = createLog('orchestrator', config.logLevel);
  const orchestrator = await startOrchestrator(config, loadWorkConfig(), log, { agents: EMPTY_AGENTS });
  stopOnSignal(log, [orchestrator.stop], { hurry: orchestrator.hurry });
});
