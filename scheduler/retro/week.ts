import { z } from 'zod';
import type { RetroFigures } from './figures.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 14;
const count = z.int().min(0).max(1_000_000);

/** The days of a retrospective as its picture shows them: little enough to travel with a notification. */
const weekSchema = z.object({
  /** The first day; the others follow it. */
  from: z.iso.date(),
  days: z
    .array(z.tuple([count, count, count, count]))
    .min(1)
    .max(MOST_DAYS),
});

/** Tasks of each day: succeeded, failed, without an outcome, and all of the same day a week before. */
export type Week = z.infer<typeof weekSchema>;

/** The week of some figures; undefined where there is nothing to see: no task, or figures of a version without days. */
export function weekOf({ daily = [], dailyBefore = [] }: Partial<RetroFigures>): Week | undefined {
  const before = new Map(dailyBefore.map(({ date, ...outcomes }) => [date, sum(outcomes)]));
  if (daily.every((day) => sum(day) === 0) || daily.length > MOST_DAYS) return undefined;
  return {
    from: daily[0].date,
    days: daily.map(({ date, success, failed, unknown }) => [
      success,
      failed,
      unknown,
      before.get(weekEarlier(date)) ?? 0,
    ]),
  };
}

/** A week that came with a notification, as text; undefined if it is none. */
export function readWeek(text: string | number | undefined): Week | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return weekSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function weekEarlier(date: string): string {
  return new Date(Date.parse(date) - 7 * DAY_MS).toISOString().slice(0, 10);
}

function sum({ success, failed, unknown }: Omit<RetroFigures['outcomes'], 'date'>): number {
  return success + failed + unknown;
}
