#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { EXIT } from '../lib/errors.ts';
import { runMain } from '../lib/lifecycle.ts';
import { readVersion } from '../lib/version.ts';
import { COMMANDS } from './commands/all.ts';

runMain(async () => {
  const program = new Command('swarm')
    .description('Watch a swarm of agents, and let it work. Every reading command takes --json.')
    .version(readVersion().version)
    .showHelpAfterError('(run with --help for the options)')
    .exitOverride();
  const [asked = ''] = process.argv.slice(2);
  const wanted = Object.hasOwn(COMMANDS, asked) ? [COMMANDS[asked]] : Object.values(COMMANDS);
  for (const add of await Promise.all(wanted.map((load) => load()))) add(program);
  program.on('beforeHelp', () => refuseUnknown(program));
  // exitOverride is not inherited by commands made before it was set on them.
  const adopt = (command: Command): void => {
    command.on('beforeHelp', () => refuseUnknown(command));
    command.exitOverride().showHelpAfterError('(run with --help for the options)');
    command.commands.forEach(adopt);
  };
  program.commands.forEach(adopt);
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
});

/** Help on a command that does not exist is no help: without this the general one is printed, as if all were well. */
function refuseUnknown(command: Command): void {
  const [first, second] = command.args;
  const name = first === 'help' ? second : first;
  if (name === undefined || name.startsWith('-') || command.commands.length === 0) return;
  if (command.commands.every((each) => each.name() !== name))
    command.error(`error: unknown command '${name}'`, { code: 'commander.unknownCommand' });
}
