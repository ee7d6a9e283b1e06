import { expect, test } from 'vitest';
import { readWeek, weekOf } from '../../../scheduler/retro/week.ts';

const day = (date: string, success: number, failed = 0, unknown = 0) => ({ date, success, failed, unknown });

test('a week is its days, each beside the same day of the week before', () => {
  const daily = [day('2026-11-26', 3, 1, 2), day('2026-11-27', 4)];
  const dailyBefore = [day('2026-11-18', 50), day('2026-11-19', 5, 1, 1)];
  expect(weekOf({ daily, dailyBefore })).toEqual({
    from: '2026-11-26',
    days: [
      [3, 1, 2, 7],
      [4, 0, 0, 0],
    ],
  });
});

test.each([
  ['no task', { daily: [day('2026-11-27', 0)], dailyBefore: [day('2026-11-20', 9)] }],
  ['the figures of a version that knew of no days', {}],
  ['more days than a picture has room for', { daily: Array(15).fill(day('2026-11-27', 1)), dailyBefore: [] }],
])('of %s there is nothing to see', (_, figures) => {
  expect(weekOf(figures)).toBeUndefined();
});

test('a week comes out of a notification as it went in', () => {
  const week = weekOf({ daily: [day('2026-11-27', 4, 1)], dailyBefore: [] });
  expect(readWeek(JSON.stringify(week))).toEqual(week);
});

test.each([
  undefined,
  7,
  '',
  '{',
  'null',
  '{"from":"2026-11-27","days":[]}',
  '{"from":"<script>","days":[[1,0,0,0]]}',
  '{"from":"2026-11-27","days":[[-1,0,0,0]]}',
  '{"from":"2026-11-27","days":[["1",0,0,0]]}',
  '{"from":"2026-11-27","days":[[1e9,0,0,0]]}',
  `{"from":"2026-11-27","days":[${Array(15).fill('[1,0,0,0]').join(',')}]}`,
])('%s is no week', (text) => {
  expect(readWeek(text)).toBeUndefined();
});
