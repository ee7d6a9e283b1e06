import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { measure, pack, packSealed, unpack } from '../../../scheduler/backup/packing.ts';
import { tempDir } from '../../support/memory-builder.ts';

const PASSPHRASE = 'correct horse';

/** A file of this many bytes, compressed and then encrypted. */
async function makeSealed(bytes: number) {
  const folder = tempDir();
  const paths = { plain: join(folder, 'plain'), packed: join(folder, 'packed'), sealed: join(folder, 'sealed') };
  writeFileSync(paths.plain, randomBytes(bytes));
  const packed = await pack({ from: paths.plain, to: paths.packed });
  await packSealed({ from: paths.packed, to: paths.sealed }, PASSPHRASE);
  return { ...paths, out: join(folder, 'out'), written: packed };
}

test.each([0, 1, 15, 16, 100, 300_000, 3_000_000])(
  'what was packed and encrypted comes out again: %i bytes',
  async (bytes) => {
    const { plain, packed, sealed, out, written } = await makeSealed(bytes);
    expect(await measure(packed)).toEqual(written);
    await unpack({ from: sealed, to: out }, PASSPHRASE);
    expect(readFileSync(out).equals(readFileSync(plain))).toBe(true);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readFileSync(sealed).includes(readFileSync(packed).subarray(10))).toBe(false);
  },
);

const REFUSED = /Could not decrypt ".*sealed": the passphrase is another, or the file was changed or cut short\./;

test.each([100, 300_000])('with another passphrase nothing comes out: %i bytes', async (bytes) => {
  const { sealed, out } = await makeSealed(bytes);
  await expect(unpack({ from: sealed, to: out }, 'correct house')).rejects.toThrow(REFUSED);
  expect(existsSync(out)).toBe(false);
});

test('without a passphrase it says which setting is missing', async () => {
  const { sealed, out } = await makeSealed(100);
  await expect(unpack({ from: sealed, to: out }, undefined)).rejects.toMatchObject({
    hint: expect.stringContaining('BACKUP_PASSPHRASE'),
  });
});

test.each([
  ['its salt', 12],
  ['its nonce', 30],
  ['its first byte', 39],
  ['a byte in the middle', 150_000],
  ['its tag', -1],
])('a changed file is refused: %s', async (_, at) => {
  const { sealed, out } = await makeSealed(300_000);
  const bytes = readFileSync(sealed);
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  writeFileSync(sealed, bytes);
  await expect(unpack({ from: sealed, to: out }, PASSPHRASE)).rejects.toThrow(REFUSED);
  expect(existsSync(out)).toBe(false);
});

test.each([8, 20, 39, 50, 100_000])('a file that was cut short is refused: %i bytes left', async (left) => {
  const { sealed, out } = await makeSealed(300_000);
  writeFileSync(sealed, readFileSync(sealed).subarray(0, left));
  await expect(unpack({ from: sealed, to: out }, PASSPHRASE)).rejects.toThrow(REFUSED);
});

test('a header that asks for more memory than ours ever does is refused before any is taken', async () => {
  const { sealed, out } = await makeSealed(100);
  const bytes = readFileSync(sealed);
  bytes[8] = 30;
  writeFileSync(sealed, bytes);
  await expect(unpack({ from: sealed, to: out }, PASSPHRASE)).rejects.toThrow(/its header makes no sense/);
});

test('two copies of one file differ from the first byte that is encrypted', async () => {
  const { packed, sealed } = await makeSealed(1_000);
  const again = `${sealed}-again`;
  await packSealed({ from: packed, to: again }, PASSPHRASE);
  expect(readFileSync(again).subarray(39, 71).equals(readFileSync(sealed).subarray(39, 71))).toBe(false);
});
