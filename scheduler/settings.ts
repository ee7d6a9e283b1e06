import {
  type ChannelConfig,
  type Config,
  type Environment,
  loadChannelConfig,
  loadConfig,
  loadSchedulerConfig,
  loadWorkConfig,
  type SchedulerConfig,
  type WorkConfig,
} from '../lib/config.ts';
import { describeError } from '../lib/errors.ts';

/** Everything the scheduler is told. */
export interface Settings {
  readonly config: Config;
  readonly work: WorkConfig;
  readonly scheduler: SchedulerConfig;
  /** A text says why they cannot be used: a mistake in them stops no room. */
  readonly channels: ChannelConfig | string;
}

/**
 * Reads them all.
 * @throws UsageError naming every bad variable of the first table that has any; one of the channels is no reason.
 */
export function readSettings(environment?: Environment): Settings {
  return {
    config: loadConfig(environment),
    work: loadWorkConfig(environment),
    scheduler: loadSchedulerConfig(environment),
    channels: readChannels(environment),
  };
}

function readChannels(environment: Environment | undefined): ChannelConfig | string {
  try {
    return loadChannelConfig(environment);
  } catch (error) {
    return describeError(error);
  }
}
