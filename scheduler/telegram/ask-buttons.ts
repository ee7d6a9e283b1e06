import type { Question } from './asks.ts';
import type { Args, Button, Keyboard } from './buttons.ts';
import { LABELS } from './words/buttons.ts';

/** The buttons that answer a question; what it is about stands in them. */
export function answerButtons({ id, round }: Args, about: Question['about']): readonly Button[] {
  const args = { id, round, about };
  return [
    { label: LABELS.approve, action: 'approve', args, isOnce: true },
    { label: LABELS.reject, action: 'reject', args, isOnce: true },
  ];
}

/** All buttons under a question. */
export function askButtons(args: Args, about: Question['about']): Keyboard {
  return [answerButtons(args, about), [{ label: LABELS.details, action: 'task-details', args: { id: args.id } }]];
}
