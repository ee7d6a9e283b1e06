import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, EXIT, UsageError } from '../../lib/errors.ts';
import { SHIPPED_TABLES } from '../../lib/memory/shipped-tables.ts';
import { type AddCommand, loadCommandConfig, printJson, printLines } from '../command.ts';
import { parseDuration } from '../parse-duration.ts';
import { openLink } from '../ship/link.ts';
import { findTables, type ShipReport, ship } from '../ship/ship.ts';
import { readState, STATE_FOLDER, stateFileOf, writeState } from '../ship/state-file.ts';

interface Options {
  readonly to: string;
  readonly every?: string;
  readonly sshCommand: string;
  readonly remoteCommand: string;
  readonly stateDir: string;
  readonly json?: true;
}

/** Nobody is there to type a password; a dead line is noticed after a minute; -C compresses. */
const SSH = 'ssh -C -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=20';

const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 86_400_000];

/** `swarm ship`: sends the rows of this machine's memory that another does not have yet. */
export const addShipCommand: AddCommand = (program) => {
  program
    .command('ship')
    .description('send the rows of this memory that the one on another machine does not have yet; see docs/ship.md')
    .requiredOption('--to <host>', 'the other machine, as ssh knows it')
    .option('--every <duration>', 'do it again and again, such as 5m')
    .option('--ssh-command <command>', 'what leads there; host and remote command are added to it', SSH)
    .option('--remote-command <command>', 'what receives the rows there', 'swarm receive')
    .option('--state-dir <folder>', 'where to remember what has been sent', STATE_FOLDER)
    .option('--json', 'print what was sent as JSON')
    .action(async (options: Options) => {
      checkHost(options.to);
      const everyMs = options.every === undefined ? undefined : parsePause(options.every);
      if (everyMs === undefined) {
        if ((await shipOnce(options)) === 'waiting') process.exitCode = EXIT.failed;
        return;
      }
      for (;;) {
        await shipOnce(options).catch((error: unknown) => {
          if (error instanceof UsageError) throw error;
          process.stderr.write(`${describeError(error)}\n`);
        });
        await sleep(everyMs);
      }
    });
};

function parsePause(text: string): number {
  const ms = parseDuration(text);
  if (ms >= SHORTEST_PAUSE_MS && ms <= LONGEST_PAUSE_MS) return ms;
  throw new UsageError(
    `Could not ship every ${text.slice(0, 40)}.`,
    'Choose something between 0.1s and 1d, such as 5m.',
  );
}

/** ssh would take one that begins with a dash for an option. */
function checkHost(host: string): void {
  if (/^[^\s-]\S{0,254}$/u.test(host)) return;
  throw new UsageError('Could not ship: --to is no host.', 'Give a name that ssh knows, see ~/.ssh/config.');
}

function splitWords(command: string): readonly string[] {
  const words = command.split(/\s+/).filter((word) => word !== '');
  if (words.length > 0) return words;
  throw new UsageError('Could not ship: --ssh-command is empty.', 'Leave it out, and ssh is used.');
}

async function shipOnce(options: Options): Promise<ShipReport['state']> {
  const { to, sshCommand, remoteCommand, stateDir, json } = options;
  const memoryPath = loadCommandConfig().swarmDbPath;
  const own = await findTables(memoryPath);
  const file = stateFileOf(stateDir, to);
  const link = openLink(to, [...splitWords(sshCommand), to, remoteCommand]);
  try {
    const keep = (state: Parameters<typeof writeState>[1]): void => writeState(file, state);
    const report = await ship({ memoryPath, own, state: readState(file), link, keep });
    if (json) printJson({ to, ...report });
    else printLines(describe(to, report));
    return report.state;
  } finally {
    await link.close();
  }
}

function describe(to: string, { state, tables, missing }: ShipReport): string[] {
  const sent = SHIPPED_TABLES.filter((table) => tables[table].sent + tables[table].skipped > 0);
  const lines = sent.map((table) => {
    const { sent: count, new: fresh, known, refused, skipped } = tables[table];
    const faults = [
      ...(refused > 0 ? [`${refused} refused by the memory there`] : []),
      ...(skipped > 0 ? [`${skipped} that cannot be sent (no id, no text, or over 2 MB)`] : []),
    ];
    return `${table}: ${[`${count} sent`, `${fresh} new`, `${known} known`, ...faults].join(', ')}`;
  });
  return [
    ...lines,
    ...missing.map((table) => `${table}: not sent, the memory on ${to} has no such table`),
    ...(state === 'waiting'
      ? [`${to} has accepted them; they are in its memory once its recorder runs (an orchestrator with RECORDER=on).`]
      : lines.length === 0
        ? [`${to} has everything.`]
        : []),
  ];
}
