import { describeError } from '../../lib/errors.ts';
import { asksForTool } from '../../lib/queue/grant.ts';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { utc } from '../ledger.ts';
import type { Tools } from '../tools.ts';
import { applyDecisions, editQuestion } from './approvals.ts';
import { type Ask, closeAsk, noteAsk, openAsks, type Question } from './asks.ts';
import type { Phone } from './phone.ts';
import { REPLIES } from './words/replies.ts';

const EXPIRED = 'Nobody approved it in time.';
const HOUR_MS = 3_600_000;
const LONGEST_PROMPT = 1_000;

/** Looks after tasks that need a yes, for as long as the bot runs. */
export interface ApprovalWatch {
  readonly stop: () => Promise<void>;
}

/**
 * Starts to look at the queue every few seconds: whoever put a task there, and whatever died since, it is found. Each is asked
 * about once in each of its rounds.
 */
export function watchApprovals(tools: Tools, phone: Phone, everyMs: number): ApprovalWatch {
  const { db, log, withQueue } = tools;
  let looking: Promise<void> | undefined;
  let trouble: string | undefined;
  const look = async (): Promise<void> => {
    try {
      await applyDecisions({ ...tools, phone });
      // Before the queue is: what is asked meanwhile is looked at the next time.
      const asked = openAsks(db);
      const toolAsks = asked.filter(({ about }) => about === 'tool');
      const [pending, refused] = await withQueue((queue) =>
        Promise.all([queue.pending(), Promise.all(toolAsks.map(({ id }) => queue.show(id)))]),
      );
      askAbout(pending, tools, phone);
      const wanted = refused.filter((view) => view !== undefined).filter(asksForTool);
      const open = [...pending.map((view) => nameOf(view, 'task')), ...wanted.map((view) => nameOf(view, 'tool'))];
      await closeQuestions(asked, new Set(open), { tools, phone });
      trouble = undefined;
    } catch (error) {
      const reason = describeError(error);
      if (reason !== trouble) log.warn({ reason }, 'tasks that need a yes cannot be looked for');
      trouble = reason;
    }
  };
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await looking;
    },
  };
}

interface Watch {
  readonly tools: Tools;
  readonly phone: Phone;
}

function askAbout(pending: readonly TaskView[], { db, clock }: Tools, { outbox }: Phone): void {
  for (const { id, task, progress, delayedUntilMs } of pending) {
    if (task === undefined || delayedUntilMs === undefined) continue;
    const { round } = progress;
    const key = `approval-${id}-${round}`;
    // The queue gives it up at its time, and not before the question is closed.
    const expiresMs = delayedUntilMs - HOUR_MS;
    const { agent, project, budgetUsd, source } = task;
    const prompt = task.prompt.slice(0, LONGEST_PROMPT);
    const nowMs = clock();
    db.transaction(() => {
      if (!noteAsk(db, { id, round, about: 'task' }, { key, nowMs, expiresMs })) return;
      const facts = { id, round, agent, project, budgetUsd, source, prompt, expiresMs };
      outbox.add({ key, kind: 'approval', facts, at: utc(nowMs) });
    })();
  }
}

/** Questions nobody has answered in time, and those that were answered elsewhere. */
async function closeQuestions(
  asked: readonly Ask[],
  open: ReadonlySet<string>,
  { tools, phone }: Watch,
): Promise<void> {
  const { db, clock, withQueue, counters } = tools;
  const { speaker } = phone;
  for (const ask of asked) {
    const isExpired = ask.expiresAt <= utc(clock());
    if (!isExpired && open.has(`${ask.about} ${ask.id} ${ask.round}`)) continue;
    if (isExpired) await withQueue((queue) => cancelExpired(queue, ask));
    if (!closeAsk(db, ask, isExpired ? 'expired' : 'gone')) continue;
    if (isExpired) counters.add('approvals', { decision: 'expired' });
    const text = speaker.say(isExpired ? REPLIES.approvalExpired : REPLIES.approvalGone);
    await editQuestion({ phone }, ask, text);
  }
}

function nameOf({ id, progress }: TaskView, about: Question['about']): string {
  return `${about} ${id} ${progress.round}`;
}

async function cancelExpired(queue: TaskQueue, { id, round }: Ask): Promise<void> {
  const view = await queue.show(id);
  if (view?.state === 'needs-approval' && view.progress.round === round) await queue.cancel(id, EXPIRED);
}
