import type { Redis } from 'ioredis';
import type { Config } from '../lib/config.ts';
import { describeError } from '../lib/errors.ts';
import { readProjects } from '../lib/projects.ts';
import type { AgentLauncher } from './agent-launch.ts';
import { findRedisFault, parseRedisInfo } from './redis-info.ts';

/** Knows whether the orchestrator can do its work. */
export interface Readiness {
  /** Why not; undefined if it can. */
  readonly find: () => Promise<string | undefined>;
  /** Why Redis must not be entrusted with tasks, as far as known; looked at every 10 s. */
  readonly redisFault: () => string | undefined;
  readonly stop: () => void;
}

const LOOK_EVERY_MS = 10_000;
const ANSWER_WITHIN_MS = 2_500;

/** Watches Redis, and asks after the agent when somebody wants to know. */
export function createReadiness({ redis, config, launcher, problem }: ReadinessOptions): Readiness {
  let fault: string | undefined = 'Redis has not answered yet.';
  const look = async (): Promise<void> => {
    try {
      fault = findRedisFault(parseRedisInfo(await answerOf(redis.info())));
    } catch (error) {
      fault = `Redis does not answer: ${describeError(error)}. Start it, or set REDIS_URL.`;
    }
  };
  void look();
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  const isDemoOnly = (): boolean => {
    const projects = [...readProjects(config.projectsFile).values()];
    return projects.length > 0 && projects.every(({ isDemo }) => isDemo);
  };
  return {
    redisFault: () => fault,
    find: async () => {
      await look();
      if (fault !== undefined) return fault;
      const found = problem();
      if (found !== undefined) return found;
      // The agent of the demo project is built in.
      return isDemoOnly() ? undefined : await launcher.findFault();
    },
    stop: () => clearInterval(timer),
  };
}

interface ReadinessOptions {
  /** A connection whose commands do not wait for ever. */
  readonly redis: Redis;
  readonly config: Config;
  readonly launcher: AgentLauncher;
  /** What another part finds wrong. */
  readonly problem: () => string | undefined;
}

async function answerOf<T>(answer: Promise<T>): Promise<T> {
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
