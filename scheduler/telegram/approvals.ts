import { describeError, UnreachableError, UsageError } from '../../lib/errors.ts';
import { asksForTool } from '../../lib/queue/grant.ts';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import type { Tools } from '../tools.ts';
import { type Ask, type Decision, decideAsk, findAsk, noteApplied, type Question, unappliedAsks } from './asks.ts';
import type { Args } from './buttons.ts';
import type { Action, Context, Effect } from './context.ts';
import { describeTask } from './describe-task.ts';
import { type Html, join } from './html.ts';
import type { Phone } from './phone.ts';
import { REPLIES } from './words/replies.ts';

const REJECTED = 'Rejected on the phone.';
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
async function decide(context: Context, args: Args, decision: Decision): Promise<Effect> {
  const { db, clock, counters, speaker, userId, audit } = context;
  const question = questionOf(args);
  const nowMs = clock();
  const what = question.about === 'tool' ? `tool ${decision}` : decision;
  if (!decideAsk(db, question, { decision, userId, nowMs })) {
    counters.add('approvals', { decision: 'refused' });
    audit(what, question.id, 'refused');
    return { edit: { text: speaker.say(REPLIES.approvalGone) } };
  }
  counters.add('approvals', { decision });
  audit(what, question.id, 'decided');
  const said = speaker.say(WORDS[decision], { when: speaker.moment(nowMs) });
  const about = await applyDecisions(context).catch((error: unknown) => {
    if (!(error instanceof UnreachableError)) throw error;
    return new Map<string, Html>();
  });
  const text = join([said, about.get(question.id)]);
  await editQuestion(context, findAsk(db, question), text);
  return { edit: { text } };
}

/** A button that was given out before tools were asked for says only which task it is about. */
function questionOf({ id, round, about }: Args): Question {
  return { id: String(id), round: Number(round), about: about === 'tool' ? 'tool' : 'task' };
}

/** Tells the queue what was decided and not told yet; what the tasks are now, by their ids. */
export async function applyDecisions(tools: Tools & { readonly phone: Phone }): Promise<ReadonlyMap<string, Html>> {
  const { db, clock, withQueue, phone, log } = tools;
  const about = new Map<string, Html>();
  const open = unappliedAsks(db);
  if (open.length === 0) return about;
  await withQueue(async (queue) => {
    for (const ask of open) {
      const { id, state } = ask;
      const problem = await apply(queue, ask);
      noteApplied(db, ask, clock());
      log.info({ taskId: id, decision: state, about: ask.about, problem }, 'a decision was carried out');
      const after = await queue.show(id);
      const failed = problem === undefined ? undefined : phone.speaker.say(REPLIES.failed, { reason: problem });
      if (after) about.set(id, join([failed, describeTask(after, phone.speaker)]));
    }
  });
  return about;
}

/** Carries out a decision, if the task still waits for it; why it could not, where trying again would not help. */
async function apply(queue: TaskQueue, { id, round, about, state }: Ask): Promise<string | undefined> {
  const view = await queue.show(id);
  if (view?.progress.round !== round) return undefined;
  if (about === 'tool') {
    // A no leaves the task as it ended.
    if (state !== 'granted' || !asksForTool(view)) return undefined;
    return await queue.grant(id).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof UsageError) return describeError(error);
        throw error;
      },
    );
  }
  if (state === 'granted') await queue.approve(id);
  else await queue.cancel(id, REJECTED);
  return undefined;
}

/** The question as it was sent says what became of it, wherever that was decided. */
export async function editQuestion(
  { phone, messageId }: { readonly phone: Phone; readonly messageId?: number | undefined },
  ask: Ask | undefined,
  text: Html,
): Promise<void> {
  const asked = ask && phone.outbox.messageOf(ask.key);
  if (asked === undefined || asked === messageId) return;
  // Somebody may have deleted it.
  await phone.chat.edit(asked, { text }).catch(() => undefined);
}
