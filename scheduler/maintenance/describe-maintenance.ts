import { fitLines, type Language, type Words } from '../words.ts';
import type { ChecklistItem } from './checklist.ts';
import type { TaskResult } from './results.ts';
import type { Period } from './task.ts';

const HEADINGS: Readonly<Record<Period, Words>> = {
  daily: { it: 'Di oggi', en: 'Today' },
  weekly: { it: 'Della settimana', en: 'This week' },
  monthly: { it: 'Del mese', en: 'This month' },
  quarterly: { it: 'Del trimestre', en: 'This quarter' },
};
const LOOK_AT: Words = { it: 'Da guardare:', en: 'Look at:' };
const TO_DO: Words = { it: 'Da fare a mano:', en: 'To do by hand:' };
const MORE: Words = { it: '… e altro', en: '… and more' };
const LONGEST_TEXT = 1_000;

/** What a run has to say, and whether that is anything. */
export interface Said {
  readonly every: Period;
  readonly results: readonly TaskResult[];
  readonly items: readonly ChecklistItem[];
}

/**
 * The facts of a notification: a text, and an item for each task of a person's as `item-ID`, so that it can be ticked off.
 * Undefined if everything is well and nothing is to be done.
 */
export function composeMaintenance(
  { every, results, items }: Said,
  language: Language,
): Readonly<Record<string, string>> | undefined {
  const noticed = results.filter(({ finding }) => finding.state === 'attention');
  if (noticed.length === 0 && items.length === 0) return undefined;
  const lines = [
    HEADINGS[every][language],
    ...(noticed.length === 0 ? [] : [LOOK_AT[language]]),
    ...noticed.map(({ task, finding }) => `⚠️ ${task.words[language]}: ${finding.text[language]}`),
    ...(items.length === 0 ? [] : [TO_DO[language]]),
  ];
  const named = items.map(({ id, task }) => [`item-${id}`, task.words[language]] as const);
  return { text: fitLines(lines, LONGEST_TEXT, () => MORE[language]), ...Object.fromEntries(named) };
}

/** The same for the log and the command line, in a line. */
export function summarizeMaintenance({ results, items }: Said): string {
  const done = results.map(({ task, finding }) => `${task.id}: ${finding.state} (${finding.text.en})`);
  const asked = items.length === 0 ? [] : [`to do by hand: ${items.map(({ task }) => task.id).join(', ')}`];
  return [...done, ...asked].join('; ');
}
