import type { Week } from '../../retro/week.ts';
import type { Language } from '../../words.ts';
import { type Canvas, picture, rectangle, stack, sum } from './svg.ts';
import { write } from './write.ts';

const CANVAS: Canvas = { width: 800, height: 420, margin: { left: 16, right: 16, top: 56, bottom: 56 } };
const [BEFORE_COLOR, LETTER_COLOR, COUNT_COLOR] = ['#4f7ca8', '#a9b8c6', '#ffffff'];
const [LETTER_HEIGHT, COUNT_HEIGHT, COUNT_GAP] = [24, 24, 10];
/** Of the room of a day: what is before the first bar, the bar of a week before, the gap, and the bar of the day. */
const [BEGIN, BEFORE, BETWEEN, NOW] = [0.1, 0.2, 0.03, 0.52];
const DAY_MS = 86_400_000;
const LOCALES: Readonly<Record<Language, string>> = { it: 'it-IT', en: 'en-GB' };

/**
 * The days of a week as bars, oldest first: tasks by outcome one upon another and their number above, the same day of the week
 * before beside them, the initial of the day below.
 */
export function drawWeek({ from, days }: Week, language: Language): string {
  const { width, height, margin } = CANVAS;
  const floor = height - margin.bottom;
  const step = (width - margin.left - margin.right) / days.length;
  const most = Math.max(
    1,
    ...days.flatMap(([success, failed, unknown, before]) => [success + failed + unknown, before]),
  );
  const scale = (floor - margin.top) / most;
  const initial = new Intl.DateTimeFormat(LOCALES[language], { weekday: 'narrow', timeZone: 'UTC' });
  const drawn = days.flatMap(([success, failed, unknown, before], day) => {
    const left = margin.left + step * (day + BEGIN);
    const x = left + step * (BEFORE + BETWEEN);
    const middle = x + (step * NOW) / 2;
    const outcomes = [success, failed, unknown];
    const count = sum(outcomes);
    const top = floor - count * scale;
    return [
      rectangle({
        x: left,
        y: floor - before * scale,
        width: step * BEFORE,
        height: before * scale,
        color: BEFORE_COLOR,
      }),
      ...stack(outcomes, { x, y: floor, width: step * NOW, scale }),
      write(String(count), { x: middle, y: top - COUNT_GAP, height: COUNT_HEIGHT, color: COUNT_COLOR }),
      write(initial.format(Date.parse(from) + day * DAY_MS), {
        x: middle,
        y: height - (margin.bottom - LETTER_HEIGHT) / 2,
        height: LETTER_HEIGHT,
        color: LETTER_COLOR,
      }),
    ];
  });
  return picture(CANVAS, drawn);
}
