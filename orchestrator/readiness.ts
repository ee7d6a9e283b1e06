import type { Redis } from 'ioredis';
import type { Config, WorkConfig } from '../lib/config.ts';
import { describeError, OperatorError } from '../lib/errors.ts';
import { readProjects } from '../lib/projects.ts';
import { explainRedisError } from '../lib/queue/connection.ts';
import type { Gate } from '../lib/queue/gates.ts';
import { findRedisFault, parseRedisInfo } from '../lib/queue/redis-info.ts';
import type { AgentLauncher } from './agent-launch.ts';

/** Knows whether the orchestrator can do its work. */
export interface Readiness {
  /** Why not; undefined if it can. */
  readonly find: () => Promise<string | undefined>;
  /** Why this process takes no task, as far as known: Redis must not be trusted with one, or no agent can be started. */
  readonly fault: () => Gate | undefined;
  readonly stop: () => void;
}

interface ReadinessOptions {
  /** A connection whose commands do not wait for ever. */
  readonly redis: Redis;
  readonly config: Config;
  readonly work: WorkConfig;
  readonly launcher: AgentLauncher;
  /** What another part finds wrong, which keeps no task from being taken. */
  readonly problem: () => string | undefined;
}

const LOOK_EVERY_MS = 5_000;
const ANSWER_WITHIN_MS = 2_500;

/** Watches Redis and the agent. */
export function createReadiness({ redis, config, work, launcher, problem }: ReadinessOptions): Readiness {
  let fault: Gate | undefined = gate('redis', 'Redis has not answered yet.');
  const look = async (): Promise<void> => {
    fault = (await findFaultOf(redis, work)) ?? (await findFaultOfAgent(config, launcher));
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = look();
  }, LOOK_EVERY_MS);
  return {
    fault: () => fault,
    find: async () => {
      await looking;
      await look();
      return fault?.text ?? problem();
    },
    stop: () => clearInterval(timer),
  };
}

async function findFaultOf(redis: Redis, work: WorkConfig): Promise<Gate | undefined> {
  try {
    const text = findRedisFault(parseRedisInfo(await withinTime(redis.info())));
    return text === undefined ? undefined : gate('redis', text);
  } catch (error) {
    const explained = explainRedisError(work, error);
    const isExplained = explained instanceof OperatorError;
    const why = isExplained
      ? describeError(explained)
      : `Redis does not answer: ${describeError(error)}. Start it, or set REDIS_URL.`;
    return gate('redis', why);
  }
}

/** The agent of a demo project is built in, so there is always something that can be done there. */
async function findFaultOfAgent(config: Config, launcher: AgentLauncher): Promise<Gate | undefined> {
  try {
    if ([...readProjects(config.projectsFile).values()].some(({ isDemo }) => isDemo)) return undefined;
    const text = await launcher.findFault();
    return text === undefined ? undefined : gate('no-agent', text);
  } catch (error) {
    return gate('no-agent', describeError(error));
  }
}

function gate(reason: 'redis' | 'no-agent', text: string): Gate {
  return { reason, text, untilMs: undefined };
}

async function withinTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
