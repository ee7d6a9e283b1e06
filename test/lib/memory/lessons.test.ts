import { expect, test } from 'vitest';
import type { Row } from '../../../lib/memory/demo/writer.ts';
import { readLessons, readPatterns, SEVERITIES, STATUSES, type StatusCount } from '../../../lib/memory/lessons.ts';
import { probeSchema } from '../../../lib/memory/schema.ts';
import { lessonRow, type MemoryState, makeMemory, patternRow } from '../../support/memory-builder.ts';

function lessonsOf(state: MemoryState, ...rows: Row[]) {
  const memory = makeMemory({ state });
  memory.insert('lessons_learned', ...rows);
  return memory.write((db) => readLessons(db, probeSchema(db)));
}
const nonZero = (counts: readonly StatusCount[] | undefined): Record<string, number> =>
  Object.fromEntries(
    (counts ?? []).flatMap((each) => (each.count ? [[`${each.status} ${each.severity}`, each.count]] : [])),
  );

test.each([
  ['A', { total: 1, byStatus: undefined, appliedRatio: undefined }],
  ['B', { total: 1, appliedRatio: 1 }],
  ['C', { total: 1, appliedRatio: 1 }],
  ['G', { total: 1, appliedRatio: 1 }],
] as const)('lessons of state %s are read', (state, expected) => {
  expect(lessonsOf(state, lessonRow({ times_applied: 2 }))).toMatchObject(expected);
});

test('a memory without lessons or patterns has no figures of them', () => {
  const read = makeMemory({ state: 'F' }).write((db) => [
    readLessons(db, probeSchema(db)),
    readPatterns(db, probeSchema(db)),
  ]);
  expect(read).toEqual([undefined, undefined]);
});

test('patterns are absent in state A', () => {
  expect(makeMemory({ state: 'A' }).write((db) => readPatterns(db, probeSchema(db)))).toBeUndefined();
});

test('an empty table has every known status and severity at 0, and no ratio', () => {
  const figures = lessonsOf('C');
  expect(figures?.byStatus).toHaveLength(STATUSES.length * SEVERITIES.length);
  expect(figures).toMatchObject({ total: 0, appliedRatio: undefined });
  expect(nonZero(figures?.byStatus)).toEqual({});
});

test('status and severity are read whatever their case, and unknown ones are "other"', () => {
  const figures = lessonsOf(
    'C',
    lessonRow(),
    lessonRow({ status: ' active ', severity: 'high' }),
    lessonRow({ status: 'RESOLVED', severity: 'CRITICAL' }),
    lessonRow({ status: 'archived', severity: 'huge' }),
    lessonRow({ status: null, severity: null }),
    lessonRow({ status: '', severity: 'LOW' }),
    lessonRow({ status: 'other', severity: 'OTHER' }),
  );
  expect(figures?.total).toBe(7);
  expect(nonZero(figures?.byStatus)).toEqual({
    'ACTIVE MEDIUM': 1,
    'ACTIVE HIGH': 1,
    'RESOLVED CRITICAL': 1,
    'other other': 3,
    'other LOW': 1,
  });
});

test.each([
  ['used ones among the active', [1, 0, 5, 0], 0.5],
  ['no number as not used', [null, 'often', 3, -1], 0.25],
  ['none used', [0], 0],
] as const)('the applied ratio counts %s', (_, timesApplied, expected) => {
  const rows = timesApplied.map((times) => lessonRow({ times_applied: times }));
  expect(lessonsOf('C', ...rows, lessonRow({ status: 'RESOLVED', times_applied: 9 }))?.appliedRatio).toBe(expected);
});

test('patterns are counted by status and severity', () => {
  const memory = makeMemory();
  memory.insert(
    'error_patterns',
    patternRow(),
    patternRow({ severity_level: 'LOW' }),
    patternRow({ status: 'RESOLVED' }),
  );
  const figures = memory.write((db) => readPatterns(db, probeSchema(db)));
  expect(figures?.total).toBe(3);
  expect(nonZero(figures?.byStatus)).toEqual({ 'ACTIVE MEDIUM': 1, 'ACTIVE LOW': 1, 'RESOLVED MEDIUM': 1 });
});
