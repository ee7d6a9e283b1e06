import { describeError, UnreachableError } from '../../lib/errors.ts';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';
import type { Tools } from '../tools.ts';
import type { Args } from './buttons.ts';
import type { Action, Context, Effect } from './context.ts';
import { describeTask } from './describe-task.ts';
import { type Html, join } from './html.ts';
import type { Phone } from './phone.ts';
import { REPLIES } from './words/replies.ts';

type Decision = 'granted' | 'rejected';
type AskState = 'asked' | Decision | 'expired' | 'gone';

/** A task that was asked about, in one of its rounds. */
interface Ask {
  readonly task_id: string;
  readonly round: number;
  readonly state: AskState;
  readonly expires_at: string;
}

const REJECTED = 'Rejected on the phone.';
const EXPIRED = 'Nobody approved it in time.';
const HOUR_MS = 3_600_000;
const LONGEST_PROMPT = 1_000;
const WORDS = { granted: REPLIES.approved, rejected: REPLIES.rejected } as const;

/** What the buttons under a question do. */
export const APPROVAL_ACTIONS: Readonly<Record<string, Action>> = {
  approve: (context, args) => decide(context, args, 'granted'),
  reject: (context, args) => decide(context, args, 'rejected'),
};

/**
 * A decision counts once, while its question is open. It stands in monitor.db before the queue is told, so that a crash, or a
 * Redis that is away, only delays it.
 */
async function decide(context: Context, { id, round }: Args, decision: Decision): Promise<Effect> {
  const { db, clock, counters, speaker, userId, audit } = context;
  const nowMs = clock();
  const { changes } = db
    .prepare(
      `UPDATE telegram_approvals SET state = ?, decided_at = ?, decided_by = ?
       WHERE task_id = ? AND round = ? AND state = 'asked' AND expires_at > ?`,
    )
    .run(decision, utc(nowMs), userId, String(id), Number(round), utc(nowMs));
  if (changes === 0) {
    counters.add('approvals', { decision: 'refused' });
    audit(decision, String(id), 'refused');
    return { edit: { text: speaker.say(REPLIES.approvalGone) } };
  }
  counters.add('approvals', { decision });
  audit(decision, String(id), 'decided');
  const said = speaker.say(WORDS[decision], { when: speaker.moment(nowMs) });
  const about = await applyDecisions(context).catch((error: unknown) => {
    if (!(error instanceof UnreachableError)) throw error;
    return new Map<string, Html>();
  });
  const text = join([said, about.get(String(id))]);
  await editQuestion(context, { id: String(id), round: Number(round) }, text);
  return { edit: { text } };
}

/** Tells the queue what was decided and not told yet; what the tasks are now, by their ids. */
async function applyDecisions(tools: Tools & { readonly phone: Phone }): Promise<ReadonlyMap<string, Html>> {
  const { db, clock, withQueue, phone, log } = tools;
  const about = new Map<string, Html>();
  const open = db
    .prepare<[], Ask>("SELECT * FROM telegram_approvals WHERE state IN ('granted', 'rejected') AND applied_at IS NULL")
    .all();
  if (open.length === 0) return about;
  await withQueue(async (queue) => {
    for (const { task_id: id, round, state } of open) {
      const view = await queue.show(id);
      if (view?.progress.round === round) {
        if (state === 'granted') await queue.approve(id);
        else await queue.cancel(id, REJECTED);
      }
      db.prepare('UPDATE telegram_approvals SET applied_at = ? WHERE task_id = ? AND round = ?').run(
        utc(clock()),
        id,
        round,
      );
      log.info({ taskId: id, decision: state }, 'a decision was carried out');
      const after = await queue.show(id);
      if (after) about.set(id, describeTask(after, phone.speaker));
    }
  });
  return about;
}

/** The question as it was sent says what became of it, wherever that was decided. */
async function editQuestion(
  { phone, messageId }: { readonly phone: Phone; readonly messageId?: number | undefined },
  { id, round }: { readonly id: string; readonly round: number },
  text: Html,
): Promise<void> {
  const asked = phone.outbox.messageOf(keyOf(id, round));
  if (asked === undefined || asked === messageId) return;
  // Somebody may have deleted it.
  await phone.chat.edit(asked, { text }).catch(() => undefined);
}

/** Looks after tasks that need a yes, for as long as the bot runs. */
export interface ApprovalWatch {
  readonly stop: () => Promise<void>;
}

/**
 * Starts to look at the queue every few seconds: whoever put a task there, and whatever died since, it is found. Each is asked
 * about once in each of its rounds.
 */
export function watchApprovals(tools: Tools, phone: Phone, everyMs: number): ApprovalWatch {
  const { log, withQueue } = tools;
  let looking: Promise<void> | undefined;
  let trouble: string | undefined;
  const look = async (): Promise<void> => {
    try {
      await applyDecisions({ ...tools, phone });
      const pending = await withQueue((queue) => queue.pending());
      askAbout(pending, tools, phone);
      await closeQuestions(new Set(pending.map(({ id, progress }) => keyOf(id, progress.round))), tools, phone);
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

function askAbout(pending: readonly TaskView[], { db, clock }: Tools, { outbox }: Phone): void {
  const note = db.prepare(
    'INSERT OR IGNORE INTO telegram_approvals (task_id, round, asked_at, expires_at) VALUES (?, ?, ?, ?)',
  );
  for (const { id, task, progress, delayedUntilMs } of pending) {
    if (task === undefined || delayedUntilMs === undefined) continue;
    const { round } = progress;
    // The queue gives it up at its time, and not before the question is closed.
    const expiresMs = delayedUntilMs - HOUR_MS;
    const { agent, project, budgetUsd, source } = task;
    const prompt = task.prompt.slice(0, LONGEST_PROMPT);
    const at = utc(clock());
    db.transaction(() => {
      if (note.run(id, round, at, utc(expiresMs)).changes === 0) return;
      const facts = { id, round, agent, project, budgetUsd, source, prompt, expiresMs };
      outbox.add({ key: keyOf(id, round), kind: 'approval', facts, at });
    })();
  }
}

/** Questions nobody has answered in time, and those that were answered elsewhere. */
async function closeQuestions(open: ReadonlySet<string>, tools: Tools, phone: Phone): Promise<void> {
  const { db, clock, withQueue, counters } = tools;
  const { speaker } = phone;
  const asked = db.prepare<[], Ask>("SELECT * FROM telegram_approvals WHERE state = 'asked'").all();
  for (const ask of asked) {
    const { task_id: id, round } = ask;
    const isExpired = ask.expires_at <= utc(clock());
    if (!isExpired && open.has(keyOf(id, round))) continue;
    if (isExpired) await withQueue((queue) => cancelExpired(queue, ask));
    const state: AskState = isExpired ? 'expired' : 'gone';
    const { changes } = setState(db, ask, state);
    if (changes === 0) continue;
    if (isExpired) counters.add('approvals', { decision: 'expired' });
    const text = speaker.say(isExpired ? REPLIES.approvalExpired : REPLIES.approvalGone);
    await editQuestion({ phone }, { id, round }, text);
  }
}

async function cancelExpired(queue: TaskQueue, { task_id: id, round }: Ask): Promise<void> {
  const view = await queue.show(id);
  if (view?.state === 'needs-approval' && view.progress.round === round) await queue.cancel(id, EXPIRED);
}

/** Only if nobody has decided it meanwhile. */
function setState(db: MonitorDb, { task_id: id, round }: Ask, state: AskState) {
  return db
    .prepare("UPDATE telegram_approvals SET state = ? WHERE task_id = ? AND round = ? AND state = 'asked'")
    .run(state, id, round);
}

function keyOf(id: string, round: number): string {
  return `approval-${id}-${round}`;
}
