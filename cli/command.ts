import type { Command } from 'commander';
import {
  type ChannelConfig,
  type Config,
  loadChannelConfig,
  loadConfig,
  loadSchedulerConfig,
  loadWorkConfig,
  readEnvironment,
  type SchedulerConfig,
  type WorkConfig,
} from '../lib/config.ts';
import { withRunFile } from '../lib/run-file.ts';

/** Adds one command to the program. To add one: a file in commands/, and a line in commands/all.ts. */
export type AddCommand = (program: Command) => void;

/** The settings of a command: the environment, then what a running `swarm up` wrote down, then the defaults. */
export function loadCommandConfig(): Config {
  return loadConfig(withRunFile(readEnvironment()));
}

/** The settings of the channels of alerts, likewise. */
export function loadCommandChannels(): ChannelConfig {
  return loadChannelConfig(withRunFile(readEnvironment()));
}

/** The settings of the queue, likewise. */
export function loadCommandWork(): WorkConfig {
  return loadWorkConfig(withRunFile(readEnvironment()));
}

/** The settings of the scheduler, likewise. */
export function loadCommandScheduler(): SchedulerConfig {
  return loadSchedulerConfig(withRunFile(readEnvironment()));
}

/** Prints a value for programs. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints lines for people. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Rows of cells as aligned text; a first row of headings is as good as any other. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}
