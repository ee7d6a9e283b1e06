import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../lib/config.ts';
import { describeError, OperatorError, UsageError } from '../../lib/errors.ts';
import { readTaskRows, type TaskRows } from '../../lib/memory/task-rows.ts';
import { type AddCommand, loadCommandConfig, printJson, printLines } from '../command.ts';
import { oneLine } from '../queue/describe-task.ts';
import { withQueue } from '../queue/open-queue.ts';

interface Options {
  readonly note?: string;
  readonly json?: true;
}

const LONGEST_ID = 200;
const LONGEST_NOTE = 2_000;
const RECORDED_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 200;

/** `swarm fix`: says that somebody had to mend what a task did; the recorder writes it, and the KPIs count it. */
export const addFixCommand: AddCommand = (program) => {
  program
    .command('fix')
    .argument('<id>', "of a task, of an ending row of the memory, or a hook's agent id")
    .description('say that somebody had to mend what a task did; `swarm kpi` counts it')
    .option('--note <text>', 'what was wrong with it')
    .option('--json', 'print it as JSON')
    .action(async (id: string, { note, json }: Options) => {
      checkArguments(id, note);
      const { fixes, at } = await sendFix(id, note);
      const isRecorded = await waitForRow(fixes, at);
      if (json) printJson({ id, fixes, note: note ?? null, at, state: isRecorded ? 'recorded' : 'waiting' });
      else printLines([describe(fixes, isRecorded)]);
    });
};

function checkArguments(id: string, note: string | undefined): void {
  if (id.trim() === '') throw new UsageError('Could not note a fix without an id.', 'See `swarm queue list`.');
  if (note === undefined || note.length <= LONGEST_NOTE) return;
  throw new UsageError(
    `Could not accept the note: it has ${note.length} characters, expected ${LONGEST_NOTE} at most.`,
    'Shorten it.',
  );
}

function describe(fixes: string, isRecorded: boolean): string {
  const noted = `Noted that task ${oneLine(fixes, LONGEST_ID)} had to be mended.`;
  return isRecorded
    ? `${noted} It is in the memory.`
    : `${noted} It waits in the queue: it will be in the memory as soon as an orchestrator runs beside it.`;
}

/** Hands the fix to the recorder, if the queue or the memory knows the id. */
async function sendFix(id: string, note: string | undefined): Promise<{ readonly fixes: string; readonly at: string }> {
  const config = loadCommandConfig();
  return await withQueue(async (queue) => {
    const view = await queue.show(id);
    const isOnQueue = (view?.task ?? view?.end) !== undefined;
    const fixes = isOnQueue ? id : await findInMemory(config, id);
    const at = new Date().toISOString();
    await queue.sendResult({ version: 1, kind: 'fix', id: fixes, ...(note ? { note } : {}), at });
    return { fixes, at };
  });
}

async function findInMemory(config: Config, id: string): Promise<string> {
  const rows = await readRows(config, id).catch((error: unknown) => {
    throw unknown(id, `it is not on the queue, and ${describeError(error)}`);
  });
  const target = id.length > LONGEST_ID ? undefined : fixTarget(rows, id);
  if (target !== undefined) return target;
  const [row] = rows.own;
  throw unknown(
    id,
    row === undefined
      ? 'neither the queue nor the memory knows it'
      : `it is that of a row of type "${oneLine(row.eventType, 50)}", which ends no task`,
  );
}

/** The id that a fix is counted by: that of a task of ours or of an ending row. A hook's agent id is none of them. */
export function fixTarget({ own }: TaskRows, id: string): string | undefined {
  if (own.some((row) => row.taskId === id)) return id;
  const endings = own.filter((row) => row.ending !== undefined);
  return (endings.find((row) => row.id === id) ?? endings.at(-1))?.id;
}

function unknown(id: string, reason: string): OperatorError {
  return new OperatorError(
    `Could not note a fix of "${oneLine(id, 100)}": ${reason}.`,
    'Give the id of a task (`swarm queue list`) or of an ending row of the memory.',
  );
}

/** Whether the row of a fix is in the memory within 5 s. */
async function waitForRow(fixes: string, at: string): Promise<boolean> {
  const config = loadCommandConfig();
  const startedMs = performance.now();
  while (performance.now() - startedMs < RECORDED_WITHIN_MS) {
    // It may be locked, or on another machine: then nothing is known of the row.
    const rows = await readRows(config, fixes).catch(() => undefined);
    const isThere = rows?.following.some(({ eventType, atMs }) => eventType === 'fix' && atMs === Date.parse(at));
    if (isThere) return true;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}

function readRows({ swarmDbPath, timezone }: Config, id: string): Promise<TaskRows> {
  return readTaskRows({ path: swarmDbPath, timezone, id });
}
