import { expect, test } from 'vitest';
import { createLabelNames, labelIndex, MAX_LABEL_VALUES, toLabelValue } from '../../../lib/memory/label-names.ts';

test('no more than 50 values ever exist, and the first ones keep theirs', () => {
  const labels = createLabelNames();
  const indexes = Array.from({ length: 1_000 }, (_, index) => labelIndex(labels, `agent-${index}`));
  expect(labels.names.length).toBe(MAX_LABEL_VALUES);
  expect(MAX_LABEL_VALUES).toBe(50);
  expect(indexes).toEqual(indexes.map((_, index) => (index < 49 ? index + 1 : 0)));
  expect(labelIndex(labels, 'agent-7')).toBe(8);
  expect([labels.names[0], labels.names[8]]).toEqual(['other', 'agent-7']);
});

test('names that end up as the same value share it', () => {
  const labels = createLabelNames();
  const indexes = ['a b', 'a\nb', 'a\r\n\tb', ' a b '].map((name) => labelIndex(labels, name));
  expect(indexes).toEqual([1, 1, 1, 1]);
});

test('a name that cannot be told from "other" is other', () => {
  expect(labelIndex(createLabelNames(), 'other')).toBe(0);
});

test('what is remembered of thousands of odd names is bounded as well', () => {
  const labels = createLabelNames();
  for (let index = 0; index < 5_000; index += 1) labelIndex(labels, `agent${'\u0001'.repeat(index)}`);
  for (let index = 0; index < 5_000; index += 1) labelIndex(labels, `agent-${index}`);
  expect(labels.indexes.size).toBeLessThanOrEqual(MAX_LABEL_VALUES);
});

test.each([
  ['plain', 'cervella-backend', 'cervella-backend'],
  ['quotes and backslashes', 'a"b\'c\\d', 'a"b\'c\\d'],
  ['control characters', 'a\u0000b\u001bc\u007fd\u0085e', 'a b c d e'],
  ['line separators', 'a\u2028b\u2029c\nd', 'a b c d'],
  ['nothing visible', '\n\t\u0000', 'unknown'],
  ['nothing', '', 'unknown'],
  ['blanks around', '  a  ', 'a'],
  ['emoji', '🐝 swarm', '🐝 swarm'],
  ['half an emoji', 'a\ud83db', 'a b'],
  ['100 characters', 'x'.repeat(100), 'x'.repeat(100)],
  ['10 kB', 'x'.repeat(10_000), 'x'.repeat(100)],
  ['a long name of emoji, cut between two', '🐝'.repeat(5_000), '🐝'.repeat(100)],
  ['a cut that would end with a blank', `${'x'.repeat(99)} yz`, 'x'.repeat(99)],
])('%s become a harmless label value', (_, name, expected) => {
  expect(toLabelValue(name)).toBe(expected);
});

test('a value made of a value is that value', () => {
  const odd = ['\u0000a\n', '🐝'.repeat(200), '', 'a  b'];
  expect(odd.map((name) => toLabelValue(toLabelValue(name)))).toEqual(odd.map(toLabelValue));
});
