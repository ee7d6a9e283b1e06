import { expect, test } from 'vitest';
import { createRandom } from '../../../lib/memory/demo/random.ts';
import { textHash } from '../../../lib/memory/text-hash.ts';

test('every hash is a whole number that a typed array keeps', () => {
  const hashes = ['', 'a', '🐝', 'x'.repeat(100_000), '\0'].map(textHash);
  expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
  expect(Array.from(new Float64Array(hashes))).toEqual(hashes);
});

test('ids, numbered or random, keep apart', () => {
  const random = createRandom(1);
  const ids = Array.from({ length: 100_000 }, (_, index) => [`task-${index}`, random.uuid()]).flat();
  expect(new Set(ids.map(textHash)).size).toBe(new Set(ids).size);
});
