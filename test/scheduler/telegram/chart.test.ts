import { createRequire } from 'node:module';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createLog } from '../../../lib/log.ts';
import { runApart } from '../../../scheduler/program.ts';
import { render } from '../../../scheduler/telegram/chart/render.ts';
import { drawWeek } from '../../../scheduler/telegram/chart/week.ts';
import { write } from '../../../scheduler/telegram/chart/write.ts';
import { LANGUAGES } from '../../../scheduler/words.ts';

const LOG = createLog('test', 'silent');
const PLACE = { x: 0, y: 0, height: 6, color: '#fff' };

/** The heights of the rectangles of a colour, from left to right. */
function heightsOf(svg: string, color: string): readonly number[] {
  return [...svg.matchAll(new RegExp(`height="([\\d.]+)" fill="${color}"`, 'g'))].map(([, height]) => Number(height));
}

test('each day has its tasks by outcome, and beside them those of a week before, at one scale', () => {
  const svg = drawWeek(
    {
      from: '2026-11-26',
      days: [
        [2, 1, 1, 4],
        [0, 0, 0, 8],
      ],
    },
    'it',
  );
  const [before, ...others] = heightsOf(svg, '#4f7ca8');
  expect(others).toEqual([2 * before]);
  expect(heightsOf(svg, '#73bf69')).toEqual([before / 2, 0]);
  expect(heightsOf(svg, '#f2495c')).toEqual([before / 4, 0]);
  expect(heightsOf(svg, '#8e8e8e')).toEqual([before / 4, 0]);
});

test('the initial of each day stands below it, in the language of people', () => {
  const week = { from: '2026-11-27', days: [[1, 0, 0, 0] as [number, number, number, number]] };
  const [friday] = /<path.*?>/.exec(write('V', PLACE)) ?? [];
  expect(drawWeek(week, 'it')).toContain(friday);
  expect(drawWeek(week, 'en')).not.toContain(friday);
});

test('there are strokes for every digit, and for the initial of every day in every language', () => {
  const initials = LANGUAGES.flatMap((language) => {
    const format = new Intl.DateTimeFormat(language, { weekday: 'narrow', timeZone: 'UTC' });
    return Array.from({ length: 7 }, (_, day) => format.format(day * 86_400_000));
  });
  for (const letter of [...initials, ...'0123456789']) expect(write(letter, PLACE), letter).toContain('<path');
  expect(write('?', PLACE)).not.toContain('<path');
});

test('a picture is drawn in a process of its own', async () => {
  const [picture] = await render({ name: 'x.png', svg: '<svg xmlns="http://www.w3.org/2000/svg"/>' }, LOG);
  expect(picture).toMatchObject({ kind: 'photo', name: 'x.png' });
  expect(Buffer.from(picture.bytes.subarray(0, 8))).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
  expect(Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('resvg'))).toEqual([]);
});

test('one that cannot be drawn is none, says why in the log, and its words are enough', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  expect(await render({ name: 'x.png', svg: '<svg' }, log)).toEqual([]);
  expect(lines.join('')).toMatch(/"reason":"Error: .*no picture could be drawn/);
});

test.each([
  ['that fails', "throw new TypeError('no way')", 'TypeError: no way'],
  ['that dies', "process.kill(process.pid, 'SIGSEGV')", 'it ended with SIGSEGV'],
  ['that does not end', 'setInterval(() => {}, 1000)', 'it ended with SIGKILL'],
])('a script %s apart hurts nobody, and says so', async (_, script, reason) => {
  await expect(runApart({ script, args: [], input: 'x'.repeat(1_000_000), timeoutMs: 2_000 })).rejects.toThrow(reason);
});
