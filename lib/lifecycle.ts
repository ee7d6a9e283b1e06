import { describeError, EXIT, exitCodeOf, UsageError } from './errors.ts';
import type { Log } from './log.ts';

/** Something that was started and must be stopped: a server, a worker, a timer. */
export type Stop = () => Promise<void> | void;

const STOP_TIMEOUT_MS = 1_500;
const HURRY_TIMEOUT_MS = 8_000;

/**
 * Stops everything, last started first, on SIGTERM or SIGINT and then ends the process with exit code 0.
 * What does not stop within 1.5 s is left to the operating system; a second signal ends the process at once. With `hurry`
 * stopping takes what it takes; a second signal calls it, and then there are 8 s left.
 */
export function stopOnSignal(log: Log, stops: readonly Stop[], { hurry }: { readonly hurry?: () => void } = {}): void {
  let stopping = false;
  const endWithin = (timeoutMs: number): void => void setTimeout(() => process.exit(0), timeoutMs).unref();
  const handle = (signal: NodeJS.Signals): void => {
    if (stopping) {
      if (!hurry) process.exit(0);
      log.info({ signal }, 'stopping at once');
      hurry();
      endWithin(HURRY_TIMEOUT_MS);
      return;
    }
    stopping = true;
    log.info({ signal }, 'stopping');
    if (!hurry) endWithin(STOP_TIMEOUT_MS);
    void stopAll(log, stops).then(() => process.exit(0));
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}

async function stopAll(log: Log, stops: readonly Stop[]): Promise<void> {
  for (const stop of stops.toReversed()) {
    try {
      await stop();
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'something did not stop cleanly');
    }
  }
}

/**
 * A room is told everything by its environment: `--help` says so, and any other argument is refused.
 * @throws UsageError for an argument.
 */
export function acceptNoArguments(program: string): void {
  const [argument] = process.argv.slice(2);
  if (argument === undefined) return;
  const usage = `Usage: node ${program} (no arguments; settings come from the environment, see .env.example).`;
  if (argument !== '--help' && argument !== '-h') {
    throw new UsageError(`Could not start ${program}: it takes no argument "${argument}".`, usage);
  }
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

/** Runs a program's `main` and judges its errors at this one boundary: a line on standard error and an exit code. */
export function runMain(main: () => Promise<void>): void {
  process.stdout.on('error', endWithoutOutput);
  main().catch((error: unknown) => {
    const code = exitCodeOf(error);
    const isForOperator = error instanceof Error && 'hint' in error;
    process.stderr.write(`${isForOperator || !(error instanceof Error) ? describeError(error, 4_000) : error.stack}\n`);
    process.exit(code);
  });
}

/** A reader who has seen enough, like `head`, ends a command without a word; what else keeps output from being written is said. */
function endWithoutOutput(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  process.stderr.write(`Could not write to standard output: ${describeError(error)}. Send it somewhere else.\n`);
  process.exit(EXIT.failed);
}
