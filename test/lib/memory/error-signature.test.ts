import { expect, test } from 'vitest';
import { errorSignature } from '../../../lib/memory/error-signature.ts';

test.each([
  ['Timeout after 600 s', 'TIMEOUT  after 7.5 s'],
  ["ENOENT: no such file, open '/srv/a b/x.json'", "ENOENT: no such file, open 'y'"],
  ['Merge conflict in src/a/b.ts', 'Merge conflict in lib\\other.ts'],
  ['cannot open /etc/passwd at once', 'cannot open ~/x.txt at once'],
  ['cannot open C:\\Users\\x', 'cannot open D:\\y'],
  ['object 3f2504e0-4f89-41d3-9a0c-0305e82c3301 lost', 'object 0x1F lost'],
  ['commit 2a4c3f1 failed', 'commit 9b0e1d2c3a failed'],
  ['line 12, column 3', 'line 1, column 900'],
  ['reading "price"', 'reading "rate"'],
  ['reading `a`\nnow', 'reading `b` now'],
  ['at 10:30:05', 'at 09:00:00'],
])('%j and %j are the same error', (one, other) => {
  expect(errorSignature(one)).toBe(errorSignature(other));
});

test.each([
  ['Timeout after 600 s', 'Timeout before 600 s'],
  ['cannot read "x"', 'cannot write "x"'],
  ['defaced page', 'effaced page'],
  ['database is locked', 'database is damaged'],
])('%j and %j are different errors', (one, other) => {
  expect(errorSignature(one)).not.toBe(errorSignature(other));
});

test('what is masked is named', () => {
  expect(errorSignature("Error 42 in 'x' at /srv/y: id 0xff,  commit 1234567a")).toBe(
    'error <n> in <text> at <path>: id <id>, commit <id>',
  );
});

test('a message of any length is read in one go', () => {
  expect(errorSignature(`${'a'.repeat(100_000)}/`).length).toBe(2_000);
});
