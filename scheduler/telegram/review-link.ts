import { readReviewLink } from '../reviews/review-link.ts';
import type { Tools } from '../tools.ts';
import type { OutboxItem } from './outbox.ts';

/**
 * The end of a task with the review it led to: that is posted after the task has ended, so it is looked up when the message is
 * sent. A link that came with the message itself is nobody's word.
 */
export function withReviewLink(item: OutboxItem, { db, settings }: Pick<Tools, 'db' | 'settings'>): OutboxItem {
  if (item.kind !== 'task-ended') return item;
  const { link: _, ...facts } = item.facts;
  const link = readReviewLink(db, String(facts.id), settings.scheduler.githubApiUrl);
  return { ...item, facts: link === undefined ? facts : { ...facts, link } };
}
