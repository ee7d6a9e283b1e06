import { type Environment, readEnvironment, type WorkConfig } from '../lib/config.ts';
import { describeError } from '../lib/errors.ts';
import { findProjectFile } from '../lib/project-file.ts';
import type { Project } from '../lib/projects.ts';
import type { Task } from '../lib/queue/task.ts';
import type { AgentLaunch } from './parts.ts';
import { checkAgentCommand, parseAgentCommand } from './runner/agent-command.ts';
import { agentEnvironment } from './runner/agent-environment.ts';

/** Knows how agents are started, and whether they can be. */
export interface AgentLauncher {
  /** @throws OperatorError if the one who pays is not settled. */
  readonly launchFor: (task: Pick<Task, 'agent'>, project: Project) => AgentLaunch;
  /** Why no agent can be started; undefined if one can. Asked again after 10 minutes: it takes the real one half a second of CPU. */
  readonly findFault: () => Promise<string | undefined>;
  /** @throws OperatorError if none can be started. */
  readonly check: () => Promise<void>;
}

const FRESH_MS = 600_000;
/** A fault is looked at sooner: somebody may just be mending it. */
const FAULT_FRESH_MS = 5_000;
const DEMO_AGENT = 'dist/orchestrator/runner/demo-agent.js';

/** A launcher for AGENT_COMMAND, and for the built-in agent of the demo project. */
export function createAgentLauncher(config: WorkConfig, environment: Environment = readEnvironment()): AgentLauncher {
  const command = parseAgentCommand(config.agentCommand, environment.PATH);
  let known: { readonly error: unknown; readonly atMs: number } | undefined;

  const launch = (): AgentLaunch => ({
    ...command,
    environment: agentEnvironment({ environment, auth: config.agentAuth }),
  });
  const look = async (): Promise<unknown> => {
    const nowMs = performance.now();
    if (known && nowMs - known.atMs < (known.error === undefined ? FRESH_MS : FAULT_FRESH_MS)) return known.error;
    const error = await checkAgentCommand(command, launch().environment).catch((thrown: unknown) => thrown);
    known = { error, atMs: nowMs };
    return error;
  };
  return {
    launchFor: ({ agent }, project) => {
      if (!project.isDemo || agent !== 'demo') return launch();
      const { PATH = '' } = environment;
      return { program: process.execPath, args: [findProjectFile(DEMO_AGENT)], environment: { PATH } };
    },
    findFault: async () => {
      const error = await look().catch((thrown: unknown) => thrown);
      return error === undefined ? undefined : describeError(error);
    },
    check: async () => {
      const error = await look();
      if (error !== undefined) throw error;
    },
  };
}
