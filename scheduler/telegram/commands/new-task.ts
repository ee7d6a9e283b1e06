import { randomUUID } from 'node:crypto';
import { readRecentAgents } from '../../../lib/memory/recent-agents.ts';
import { readMemory } from '../../../lib/memory/source.ts';
import { type Project, readProjects } from '../../../lib/projects.ts';
import { ARGUMENT_NAME } from '../../../lib/queue/argument-name.ts';
import { parseTask, type Task } from '../../../lib/queue/task.ts';
import type { Args, Button, Keyboard } from '../buttons.ts';
import { shortId } from '../catalogue.ts';
import type { Reply } from '../chat.ts';
import type { BotCommand, Context, Effect } from '../context.ts';
import { type Draft, dropDraft, keepDraft, readDraft } from '../drafts.ts';
import { LABELS } from '../words/buttons.ts';
import { REPLIES } from '../words/replies.ts';

const MOST_OFFERED = 8;
const PER_ROW = 2;
const OTHER_BUDGETS_USD = [1, 2, 5];
const LONGEST_PROMPT = 20_000;

/** `/nuovo`: puts a task on the queue, question by question; `/nuovo AGENT PROJECT TEXT` asks for the budget alone. */
export const newTask: BotCommand = {
  names: { it: 'nuovo', en: 'new' },
  about: { it: 'Nuovo task per un agente', en: 'A new task for an agent' },
  run: async (context, argument) => {
    const [agent = '', project = '', ...words] = argument.split(/\s+/);
    const prompt = words.join(' ').trim();
    const isWhole = ARGUMENT_NAME.test(agent) && projectsOf(context).has(project) && prompt !== '';
    return ask(context, { id: randomUUID(), ...(isWhole ? { agent, project, prompt } : {}) });
  },
  actions: {
    'new-agent': (context, args) => answer(context, args, String(args.value)),
    'new-project': (context, args) => answer(context, args, String(args.value)),
    'new-budget': (context, args) => answer(context, args, String(args.value)),
    'new-start': start,
    'new-drop': drop,
  },
};

/** What somebody wrote who has begun a task: the answer to the question that is open; undefined if none is. */
export async function answerInWords(context: Context, text: string): Promise<Reply | undefined> {
  const draft = readDraft(context);
  return draft && nextStep(draft) !== 'confirm' ? take(context, draft, text) : undefined;
}

type Step = 'agent' | 'project' | 'prompt' | 'budget' | 'confirm';

function nextStep({ agent, project, prompt, budgetUsd }: Draft): Step {
  if (agent === undefined) return 'agent';
  if (project === undefined) return 'project';
  if (prompt === undefined) return 'prompt';
  return budgetUsd === undefined ? 'budget' : 'confirm';
}

/** A button of an earlier question, or of another task, is no answer to this one. */
async function answer(context: Context, { draft: id, step }: Args, value: string): Promise<Effect> {
  const draft = readDraft(context);
  if (draft?.id !== id || nextStep(draft) !== step) return { edit: { text: context.speaker.say(REPLIES.newGone) } };
  return { edit: await take(context, draft, value) };
}

async function take(context: Context, draft: Draft, value: string): Promise<Reply> {
  const { speaker } = context;
  const text = value.trim();
  switch (nextStep(draft)) {
    case 'agent':
      if (!ARGUMENT_NAME.test(text)) return { text: speaker.say(REPLIES.wrongAgent) };
      return ask(context, { ...draft, agent: text });
    case 'project':
      if (!projectsOf(context).has(text)) {
        return { text: speaker.say(REPLIES.wrongProject), buttons: projectButtons(context, draft) };
      }
      return ask(context, { ...draft, project: text });
    case 'prompt':
      return ask(context, { ...draft, prompt: text.slice(0, LONGEST_PROMPT) });
    default: {
      const budgetUsd = Number(text.replace(',', '.').replace(/[\s$€]/g, ''));
      if (text === '' || !(budgetUsd >= 0.01 && budgetUsd <= 1_000)) return { text: speaker.say(REPLIES.wrongBudget) };
      return ask(context, { ...draft, budgetUsd });
    }
  }
}

/** The next question, once the draft is kept. */
async function ask(context: Context, draft: Draft): Promise<Reply> {
  const { speaker, settings } = context;
  const { say, quote, money } = speaker;
  if (projectsOf(context).size === 0) return { text: say(REPLIES.noProjects) };
  keepDraft(context, draft);
  const { agent, project, budgetUsd = 0 } = draft;
  const prompt = quote(draft.prompt ?? '', 800);
  switch (nextStep(draft)) {
    case 'agent':
      return { text: say(REPLIES.newAgent), buttons: choices(draft, 'agent', await agentsOf(context)) };
    case 'project':
      return { text: say(REPLIES.newProject, { agent }), buttons: projectButtons(context, draft) };
    case 'prompt':
      return { text: say(REPLIES.newPrompt, { agent, project }), buttons: [[dropButton(draft)]] };
    case 'budget': {
      const amounts = [...new Set([settings.work.budgetTaskUsd, ...OTHER_BUDGETS_USD])].sort((a, b) => a - b);
      const values = amounts.map((usd) => ({ label: money(usd), value: String(usd) }));
      return { text: say(REPLIES.newBudget, { prompt }), buttons: choices(draft, 'budget', values) };
    }
    case 'confirm': {
      const text = say(REPLIES.newConfirm, { agent, project, budget: money(budgetUsd), prompt });
      const args = { draft: draft.id };
      return {
        text,
        buttons: [[{ label: LABELS.start, action: 'new-start', args, isOnce: true }, dropButton(draft)]],
      };
    }
  }
}

/** The task has the id of its draft, so that it is one however often the button is pressed. */
async function start(context: Context, { draft: id }: Args): Promise<Effect> {
  const { speaker, withQueue, audit } = context;
  const draft = readDraft(context);
  if (draft?.id !== id || nextStep(draft) !== 'confirm') return { edit: { text: speaker.say(REPLIES.newGone) } };
  const task = makeTask(context, draft);
  await withQueue((queue) => queue.enqueue(task));
  dropDraft(context);
  const { agent, project, budgetUsd } = task;
  audit('new', task.id, `${agent} in ${project}`);
  const facts = { id: task.id, short: shortId(task.id), agent, project, budget: speaker.money(budgetUsd) };
  return { edit: { text: speaker.say(REPLIES.newStarted, facts) } };
}

function makeTask({ settings, clock }: Context, { id, agent, project, prompt, budgetUsd = 0 }: Draft): Task {
  const { work, scheduler, config } = settings;
  const model = readProjects(config.projectsFile).get(String(project))?.defaultModel;
  return parseTask({
    version: 1,
    id,
    prompt,
    agent,
    project,
    priority: 'normal',
    ...(model === undefined ? {} : { model }),
    budgetUsd,
    timeoutMs: Math.round(work.agentTimeoutMinutes * 60_000),
    source: 'telegram',
    // Who presses the button has seen what it may cost: that is the yes a dear task needs.
    approval: budgetUsd > scheduler.approvalAboveUsd ? 'granted' : 'not-needed',
    requestedAt: new Date(clock()).toISOString(),
  });
}

async function drop(context: Context, { draft: id }: Args): Promise<Effect> {
  if (readDraft(context)?.id === id) dropDraft(context);
  return { edit: { text: context.speaker.say(REPLIES.newDropped) } };
}

function projectsOf({ settings }: Context): ReadonlyMap<string, Project> {
  return readProjects(settings.config.projectsFile);
}

function projectButtons(context: Context, draft: Draft): Keyboard {
  const names = [...projectsOf(context).keys()];
  return choices(
    draft,
    'project',
    names.map((name) => ({ label: name, value: name })),
  );
}

async function agentsOf(context: Context): Promise<readonly { label: string; value: string }[]> {
  const { swarmDbPath } = context.settings.config;
  // A memory that cannot be read is no reason not to ask.
  const known = await readMemory(swarmDbPath, ({ db }) => readRecentAgents(db)).catch(() => []);
  const demo = [...projectsOf(context).values()].some(({ isDemo }) => isDemo) ? ['demo'] : [];
  const names = [...new Set([...demo, ...known.filter((name) => ARGUMENT_NAME.test(name))])];
  return names.map((name) => ({ label: name, value: name }));
}

function choices(
  draft: Draft,
  step: Step,
  values: readonly { readonly label: string; readonly value: string }[],
): Keyboard {
  const buttons: Button[] = values
    .slice(0, MOST_OFFERED)
    .map(({ label, value }) => ({ label, action: `new-${step}`, args: { draft: draft.id, step, value } }));
  const rows = Array.from({ length: Math.ceil(buttons.length / PER_ROW) }, (_, row) =>
    buttons.slice(row * PER_ROW, (row + 1) * PER_ROW),
  );
  return [...rows, [dropButton(draft)]];
}

function dropButton({ id }: Draft): Button {
  return { label: LABELS.drop, action: 'new-drop', args: { draft: id } };
}
