import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UsageError } from '../../lib/errors.ts';
import { JOBS } from '../../scheduler/jobs/all.ts';
import { TIMETABLE } from '../../scheduler/timetable.ts';
import { readTimetable } from '../../scheduler/timetable-file.ts';
import { tempDir } from '../support/memory-builder.ts';
import { entry } from '../support/scheduler-scene.ts';

const BUILT_IN = [entry('retro', '0 18 * * fri'), entry('archive', '0 4 1 * *', { isOff: true })];

function read(content?: string, timetable = BUILT_IN) {
  const file = content === undefined ? undefined : join(tempDir(), 'timetable.json');
  if (file !== undefined) writeFileSync(file, content as string);
  return readTimetable({ timetable, timezone: 'Europe/Rome', file });
}

function complaint(content: string): string {
  try {
    read(content);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return '';
}

test('every time of the built-in timetable is sound, and every job in it can be run', () => {
  expect(readTimetable({ timetable: TIMETABLE, timezone: 'Europe/Rome', file: undefined })).toHaveLength(
    TIMETABLE.length,
  );
  expect(TIMETABLE.map(({ job }) => job).sort()).toEqual(JOBS.map(({ name }) => name).sort());
});

test.each([
  ['without a file', undefined, ['0 18 * * fri', true], ['0 4 1 * *', false]],
  ['a job is switched off', '{"retro": "off"}', ['0 18 * * fri', false], ['0 4 1 * *', false]],
  ['a job is moved', '\uFEFF{"retro": " 0 17 * * 5 "}', ['0 17 * * 5', true], ['0 4 1 * *', false]],
  ['a job that is off is switched on', '{"archive": "on"}', ['0 18 * * fri', true], ['0 4 1 * *', true]],
  ['a job that is off is given a time', '{"archive": "5 4 * * *"}', ['0 18 * * fri', true], ['5 4 * * *', true]],
])('%s', (_, content, ...expected) => {
  expect(read(content).map(({ at, cron }) => [at, cron !== undefined])).toEqual(expected);
});

test.each([
  ['{', 'it is not valid JSON'],
  ['[]', 'expected an object such as {"retro": "off"}'],
  ['null', 'expected an object such as {"retro": "off"}'],
  ['{"retrò": "off"}', 'there is no job "retrò" (there are retro, archive)'],
  ['{"__proto__": "off"}', 'there is no job "__proto__" (there are retro, archive)'],
  ['{"retro": false}', 'of the job "retro", expected "off", "on" or a time in quotes, found false'],
  ['{"retro": "OFF"}', 'of the job "retro", expected five fields such as "0 18 * * fri"'],
  ['{"retro": ""}', 'of the job "retro", expected five fields'],
  ['{"retro": "0 0 18 * * 5"}', 'of the job "retro", expected five fields'],
  ['{"retro": "60 18 * * 5"}', 'of the job "retro", the minute is "60", expected 0 to 59'],
  ['{"retro": "0 24 * * 5"}', 'of the job "retro", the hour is "24", expected 0 to 23'],
  ['{"retro": "0 18 0 * 5"}', 'of the job "retro", the day of the month is "0", expected 1 to 31'],
  ['{"retro": "0 18 * 13 5"}', 'of the job "retro", the month is "13", expected 1 to 12'],
  ['{"retro": "0 18 * * 8"}', 'of the job "retro", the day of the week is "8", expected 0 to 7'],
  ['{"retro": "0 18 * * ven"}', 'of the job "retro", the day of the week is "ven"'],
  ['{"retro": "*/0 18 * * 5"}', 'of the job "retro", the minute is "*/0"'],
  ['{"retro": "5/10 18 * * 5"}', 'of the job "retro", the minute is "5/10"'],
  ['{"retro": "0 20-18 * * 5"}', 'of the job "retro", the hour is "20-18"'],
  ['{"retro": "0 -1 * * 5"}', 'of the job "retro", the hour is "-1"'],
  ['{"retro": "0, 18 * * 5"}', 'of the job "retro", the minute is ""'],
  ['{"retro": "0 18 31 2 *"}', 'of the job "retro", no year has such a day'],
  ['{"retro": "30 2 * * *"}', 'of the job "retro", "30 2 * * *" is due between 02:00 and 03:00, when clocks change'],
  ['{"retro": "0 * * * *"}', 'of the job "retro", "0 * * * *" is due between 02:00 and 03:00, when clocks change'],
])('%s is refused: %s', (content, expected) => {
  expect(complaint(content)).toContain(expected);
});

test('everything that is wrong is named at once, and a file that is missing as well', () => {
  const message = complaint('{"retro": "x", "nobody": "off", "archive": 5}');
  expect(message).toMatch(/"nobody".*"retro".*"archive"/);
  const file = join(tempDir(), 'absent.json');
  expect(() => readTimetable({ timetable: BUILT_IN, timezone: 'Europe/Rome', file })).toThrow(
    `Could not read the timetable "${file}": ENOENT.`,
  );
});
