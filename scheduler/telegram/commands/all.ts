import { APPROVAL_ACTIONS } from '../approvals.ts';
import { CHECKLIST_ACTIONS } from '../checklist.ts';
import type { Action, BotCommand } from '../context.ts';
import { cancel } from './cancel.ts';
import { costs } from './costs.ts';
import { health } from './health.ts';
import { help } from './help.ts';
import { kpi } from './kpi.ts';
import { lessons } from './lessons.ts';
import { newTask } from './new-task.ts';
import { pause } from './pause.ts';
import { queue } from './queue.ts';
import { resume } from './resume.ts';
import { retro } from './retro.ts';
import { retry } from './retry.ts';
import { silence } from './silence.ts';
import { status } from './status.ts';
import { task } from './task.ts';

/** Every command, in the order of the menu. To add one: a file here, and a line below. */
export const COMMANDS: readonly BotCommand[] = [
  status,
  newTask,
  queue,
  task,
  kpi,
  costs,
  health,
  retro,
  lessons,
  cancel,
  retry,
  pause,
  resume,
  silence,
  help,
];

/** What buttons do, by their actions. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map(
  [APPROVAL_ACTIONS, CHECKLIST_ACTIONS, ...COMMANDS.map(({ actions = {} }) => actions)].flatMap((actions) =>
    Object.entries(actions),
  ),
);
