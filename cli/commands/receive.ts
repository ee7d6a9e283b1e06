import { UsageError } from '../../lib/errors.ts';
import { probeSchema } from '../../lib/memory/schema.ts';
import { readMemory } from '../../lib/memory/source.ts';
import { type AddCommand, loadCommandConfig } from '../command.ts';
import { parseDuration } from '../parse-duration.ts';
import { withQueue } from '../queue/open-queue.ts';
import { createLineReader } from '../ship/lines.ts';
import { MAX_LINE_BYTES } from '../ship/protocol.ts';
import { receive } from '../ship/receive.ts';

/** A sender gives up after five minutes without an answer. */
const LONGEST_WAIT_MS = 4 * 60_000;

/** `swarm receive`: the other end of `swarm ship`, started by it through ssh; speaks JSON lines on its standard streams. */
export const addReceiveCommand: AddCommand = (program) => {
  program
    .command('receive')
    .description('take what `swarm ship` sends from another machine; it is started by it, through ssh')
    .option('--wait <duration>', 'how long a batch may wait for the recorder', '30s')
    .action(async ({ wait }: { wait: string }) => {
      const waitMs = parseDuration(wait);
      if (waitMs > LONGEST_WAIT_MS)
        throw new UsageError(`Could not wait for ${wait.slice(0, 40)}.`, 'Wait for 4m at most.');
      const memoryPath = loadCommandConfig().swarmDbPath;
      // What is wrong with it is said before anything is sent.
      await readMemory(memoryPath, ({ db }) => probeSchema(db));
      const lines = createLineReader(process.stdin, MAX_LINE_BYTES);
      // A sender that is gone is noticed at the end of its lines.
      process.stdout.on('error', () => undefined);
      const answer = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
      await withQueue((_, redis) => receive({ memoryPath, redis, lines, answer, waitMs }));
    });
};
