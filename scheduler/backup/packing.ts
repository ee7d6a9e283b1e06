import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { cannotDecrypt, isSealed, SEAL_MARK_BYTES, seal, unseal } from './sealing.ts';

/** What a file came out as. */
export interface Written {
  readonly bytes: number;
  readonly sha256: string;
}

/** From where to where. */
interface Way {
  readonly from: string;
  readonly to: string;
  readonly signal?: AbortSignal | undefined;
}

const GZIP_MARK = Buffer.from([0x1f, 0x8b]);
const CHUNK_BYTES = 256 * 1024;
const PRIVATE = 0o600;

/** Compresses a file into a new one that only this user may read; it is on disk when this resolves. */
export async function pack({ from, to, signal }: Way): Promise<Written> {
  return await write(from, [createGzip()], to, signal);
}

/** Encrypts a file into a new one, likewise. */
export async function packSealed({ from, to, signal }: Way, passphrase: string): Promise<Written> {
  return await write(from, [await seal(passphrase)], to, signal);
}

/**
 * Writes what was backed up into a new file, decrypted and decompressed as needed, likewise.
 * @throws OperatorError for a passphrase that is wrong or missing, or a file that was changed.
 */
export async function unpack({ from, to, signal }: Way, passphrase: string | undefined): Promise<Written> {
  const mark = await firstBytes(from, SEAL_MARK_BYTES);
  if (!isSealed(mark)) {
    const isCompressed = mark.subarray(0, GZIP_MARK.length).equals(GZIP_MARK);
    return await write(from, [isCompressed ? createGunzip() : new PassThrough()], to, signal);
  }
  try {
    return await write(from, [unseal(from, passphrase), createGunzip()], to, signal);
  } catch (error) {
    // By another key it comes out as noise, which may end the decompression before the tag is reached.
    throw /^Z_/.test((error as NodeJS.ErrnoException).code ?? '') ? cannotDecrypt(from, error) : error;
  }
}

/** The size and checksum of a file as it lies there. */
export async function measure(file: string, signal?: AbortSignal): Promise<Written> {
  const meter = createMeter();
  meter.stream.resume();
  await pipeline([createReadStream(file, { highWaterMark: CHUNK_BYTES }), meter.stream], { signal });
  return meter.read();
}

async function write(
  from: string,
  steps: readonly Transform[],
  to: string,
  signal: AbortSignal | undefined,
): Promise<Written> {
  const meter = createMeter();
  const source = createReadStream(from, { highWaterMark: CHUNK_BYTES });
  // `flush`: on disk before anybody gives it its name.
  const target = createWriteStream(to, { flags: 'wx', mode: PRIVATE, flush: true });
  try {
    await pipeline([source, ...steps, meter.stream, target], { signal });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await unlink(to).catch(() => undefined);
    throw error;
  }
  return meter.read();
}

function createMeter(): { readonly stream: Transform; readonly read: () => Written } {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, read: () => ({ bytes, sha256: hash.digest('hex') }) };
}

async function firstBytes(file: string, length: number): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
