import { open } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { UsageError } from '../../../lib/errors.ts';
import { readTrace } from '../../../lib/queue/trace.ts';
import { readReviewLink } from '../../reviews/review-link.ts';
import { isToolAsked } from '../asks.ts';
import type { Args } from '../buttons.ts';
import type { BotCommand, Context, Effect } from '../context.ts';
import { describeTask, taskButtons } from '../describe-task.ts';
import { findTask, isTask } from '../find-task.ts';
import { type Html, join, oneLine } from '../html.ts';
import { STATE_WORDS } from '../words/notifications.ts';
import { REPLIES } from '../words/replies.ts';
import { chooseTask } from './choose-task.ts';

const ENDED_OFFERED = 5;
const LOG_BYTES = 200_000;
const LONGEST_DETAIL = 300;

/** `/task ID`: everything about one task, and what can be done with it. */
export const task: BotCommand = {
  names: { it: 'task', en: 'task' },
  about: { it: 'Un task: /task ID', en: 'One task: /task ID' },
  run: (context, argument) =>
    context.withQueue(async (queue) => {
      if (argument === '') {
        const latest = await queue.list(ENDED_OFFERED);
        return chooseTask(context, latest, { action: 'task-details', none: REPLIES.queueEmpty });
      }
      const found = await findTask(queue, argument, context);
      if (!isTask(found)) return found;
      const link = readReviewLink(context.db, found.id, context.settings.scheduler.githubApiUrl);
      return {
        text: describeTask(found, context.speaker, link),
        buttons: taskButtons(found, isToolAsked(context.db, found)),
      };
    }),
  actions: {
    'task-details': async (context, args) => ({ reply: await task.run(context, idOf(args)) }),
    'task-trace': async (context, args) => ({ reply: { text: await describeTrace(context, idOf(args)) } }),
    'task-log': sendLog,
    'task-fix': noteFix,
  },
};

/** The task that a button is about. */
export function idOf({ id }: Args): string {
  return String(id);
}

/** A state in words. */
export function stateWords({ speaker }: Context, state: string): string {
  return speaker.plain(STATE_WORDS[state] ?? { it: state, en: state });
}

async function describeTrace({ withQueue, speaker }: Context, id: string): Promise<Html> {
  const events = await withQueue((_, redis) => readTrace(redis, id));
  if (events.length === 0) return speaker.say(REPLIES.noTrace);
  const lines = events.map(({ at, event, detail }) => {
    const text = `${speaker.moment(Date.parse(at))} ${event}${detail === undefined ? '' : `: ${detail}`}`;
    return speaker.quote(oneLine(text, LONGEST_DETAIL), LONGEST_DETAIL);
  });
  return speaker.say(REPLIES.trace, { id, lines: join(lines) });
}

/** The end of the agent's own log, without what nobody else should read. */
async function sendLog({ settings, speaker }: Context, args: Args): Promise<Effect> {
  const id = idOf(args);
  const tail = /^[\w-]{1,64}$/.test(id)
    ? await readTail(joinPath(settings.work.workDir, 'logs', `${id}.jsonl`))
    : undefined;
  if (tail === undefined) return { reply: { text: speaker.say(REPLIES.noLog) } };
  const bytes = Buffer.from(speaker.clean(tail, LOG_BYTES));
  const text = speaker.say(REPLIES.log, { size: Math.ceil(bytes.length / 1_000) });
  return { reply: { text, files: [{ kind: 'document', name: `${id}.jsonl`, bytes }] } };
}

async function readTail(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - LOG_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOG_BYTES), 0, LOG_BYTES, from);
    const text = buffer.toString('utf8', 0, bytesRead);
    // Of a line whose beginning is missing nobody knows whether a key begins before it.
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await file.close();
  }
}

/** As `swarm fix` does: the recorder writes it, and the KPIs count it. */
async function noteFix({ withQueue, speaker, clock, audit }: Context, args: Args): Promise<Effect> {
  const id = idOf(args);
  await withQueue(async (queue) => {
    if ((await queue.show(id)) === undefined) {
      throw new UsageError(`Could not find task "${id}".`, 'Use swarm fix.');
    }
    await queue.sendResult({ version: 1, kind: 'fix', id, at: new Date(clock()).toISOString() });
  });
  audit('fix', id, 'noted');
  return { reply: { text: speaker.say(REPLIES.fixed) } };
}
