import { describeError } from '../../lib/errors.ts';
import { successRatio, windowOutcomes } from '../../lib/memory/task-figures.ts';
import { WINDOWS } from '../../lib/memory/windows.ts';
import { readGates } from '../../lib/queue/gates.ts';
import { readMemoryOnce } from '../../lib/read-memory.ts';
import { readRunFile } from '../../lib/run-file.ts';
import { type AddCommand, alignColumns, loadCommandConfig, printJson, printLines } from '../command.ts';
import { oneLine } from '../queue/describe-task.ts';
import { withQueue } from '../queue/open-queue.ts';
import { askRoom, ROOMS } from '../rooms.ts';

/** `swarm status`: which rooms answer, and what the memory says at a glance. */
export const addStatusCommand: AddCommand = (program) => {
  program
    .command('status')
    .description('show which rooms are up and the latest figures')
    .option('--json', 'print it as JSON')
    .action(async (options: { json?: true }) => {
      const config = loadCommandConfig();
      const [rooms, queue] = await Promise.all([
        Promise.all(ROOMS.map(async (room) => ({ room: room.name, ...(await askRoom(room, config)) }))),
        readQueue(),
      ]);
      const memory = await readMemoryOnce(config, ({ tally, schema }) => ({
        path: config.swarmDbPath,
        isDemo: schema.isDemo,
        schema: schema.state,
        lastTask: tally.tasks.lastTaskMs === undefined ? null : new Date(tally.tasks.lastTaskMs).toISOString(),
        windows: WINDOWS.map(({ name }, index) => describeWindow(name, windowOutcomes(tally.tasks, index))),
      })).catch((error: unknown) => ({ path: config.swarmDbPath, error: describeError(error) }));
      const status = { runningPid: readRunFile()?.pid ?? null, rooms, queue, memory };
      if (options.json) printJson(status);
      else printLines(describe(status));
    });
};

/** How many tasks there are, and why none is taken, if none is; a Redis that does not answer hides nothing else. */
async function readQueue(): Promise<QueueStatus> {
  try {
    return await withQueue(async (queue, redis) => {
      const [counts, gates] = await Promise.all([queue.counts(), readGates(redis, Date.now())]);
      const waiting = (counts.wait ?? 0) + (counts.prioritized ?? 0);
      return {
        waiting,
        active: counts.active ?? 0,
        delayed: counts.delayed ?? 0,
        failed: counts.failed ?? 0,
        paused: gates.map(({ reason, text }) => ({ reason, text })),
      };
    });
  } catch (error) {
    return { error: describeError(error) };
  }
}

type QueueStatus =
  | { readonly error: string }
  | {
      readonly waiting: number;
      readonly active: number;
      readonly delayed: number;
      readonly failed: number;
      readonly paused: readonly { readonly reason: string; readonly text: string }[];
    };

function describeQueue(queue: QueueStatus): string {
  if ('error' in queue) return `queue: ${queue.error}`;
  const { waiting, active, delayed, failed, paused } = queue;
  const why = paused.map(({ reason, text }) => `${reason}: ${oneLine(text, 200)}`).join('; ');
  const counts = `${waiting} waiting, ${active} active, ${delayed} delayed, ${failed} failed`;
  return `queue: ${counts}${paused.length > 0 ? `; paused (${why})` : ''}`;
}

function describeWindow(window: string, [success, failed, unknown]: readonly number[]) {
  return { window, success, failed, unknown, successRatio: successRatio([success, failed]) ?? null };
}

function describe(status: {
  rooms: readonly { room: string; state: string; detail: string }[];
  queue: QueueStatus;
  memory:
    | { path: string; error: string }
    | {
        path: string;
        isDemo: boolean;
        schema: string;
        lastTask: string | null;
        windows: readonly ReturnType<typeof describeWindow>[];
      };
}): string[] {
  const rooms = [
    ...alignColumns(status.rooms.map(({ room, state, detail }) => [room, state, detail])),
    describeQueue(status.queue),
  ];
  const { memory } = status;
  if ('error' in memory) return [...rooms, '', memory.error];
  const percent = (ratio: number | null): string => (ratio === null ? '–' : `${(ratio * 100).toFixed(1)} %`);
  const rows = memory.windows.map((each) => [
    each.window,
    String(each.success),
    String(each.failed),
    String(each.unknown),
    percent(each.successRatio),
  ]);
  return [
    ...rooms,
    '',
    `${memory.path} (shape ${memory.schema}${memory.isDemo ? ', demo data' : ''}), last task ${memory.lastTask ?? 'never'}`,
    ...alignColumns([['window', 'success', 'failed', 'unknown', 'success rate'], ...rows]),
  ];
}
