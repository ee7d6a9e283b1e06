import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { createBodyReader } from '../../../scheduler/webhook/body.ts';

const bytes = (length: number): Buffer => Buffer.alloc(length, 0x61);

test('a body up to the limit is read whole; a longer one is let run by, and one without end is cut', async () => {
  const read = createBodyReader({ longest: 100, together: 1_000 });
  expect(await read(Readable.from([bytes(60), bytes(40)]))).toEqual(bytes(100));
  const long = Readable.from([bytes(60), bytes(60), bytes(60)]);
  expect(await read(long)).toBe('too-large');
  expect(long.readableEnded).toBe(true);
  const endless = Readable.from(
    (function* () {
      for (;;) yield bytes(60);
    })(),
  );
  expect(await read(endless)).toBe('too-large');
  expect(endless.destroyed).toBe(true);
});

test('of all that are read at once no more is held than may be, and what was held is free again', async () => {
  const read = createBodyReader({ longest: 100, together: 150 });
  const slow = new PassThrough();
  const first = read(slow);
  slow.write(bytes(100));
  await new Promise(setImmediate);
  expect(await read(Readable.from([bytes(40), bytes(40)]))).toBe('busy');
  expect(await read(Readable.from([bytes(50)]))).toEqual(bytes(50));
  slow.end();
  expect(await first).toEqual(bytes(100));
  expect(await read(Readable.from([bytes(100)]))).toEqual(bytes(100));
});

test('a body that breaks off frees what it held', async () => {
  const read = createBodyReader({ longest: 100, together: 100 });
  const broken = new PassThrough();
  const reading = read(broken);
  broken.write(bytes(100));
  await new Promise(setImmediate);
  broken.destroy(new Error('gone'));
  await expect(reading).rejects.toThrow('gone');
  expect(await read(Readable.from([bytes(100)]))).toEqual(bytes(100));
});
