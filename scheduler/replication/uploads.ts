import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { OperatorError } from '../../lib/errors.ts';
import { MOST_BODY_BYTES, readBody } from '../bounded-body.ts';

/** Below what a collector is given. */
const TIMEOUT_MS = 2_000;
/** One line for each kind of store; none before the first upload. */
const UPLOADS = /^litestream_replica_operation_total\{[^}]*\boperation="PUT"[^}]*\} (\S+)$/gm;

/**
 * How many files Litestream has uploaded since it started, by its Prometheus metrics (litestream.io/reference/metrics).
 * @throws OperatorError within 2 s if they cannot be read, or are somebody else's.
 */
export async function readUploads(url: string): Promise<number> {
  try {
    return countUploads(await readText(url));
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    throw new OperatorError(
      `Could not read Litestream's metrics "${url}": ${cause?.code ?? message}.`,
      'Check that Litestream runs, the line `addr` of its configuration, and LITESTREAM_METRICS_URL.',
      { cause: error },
    );
  }
}

async function readText(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status !== 200 || response.body === null) throw new Error(`it answered ${response.status}`);
  const text = await readBody(Readable.fromWeb(response.body as ReadableStream));
  if (text.length >= MOST_BODY_BYTES) throw new Error(`it answered more than ${MOST_BODY_BYTES} bytes`);
  return text;
}

function countUploads(text: string): number {
  if (!/^litestream_/m.test(text)) throw new Error('none of them is Litestream’s');
  const counts = [...text.matchAll(UPLOADS)].map(([, value]) => Number(value));
  if (!counts.every((count) => Number.isFinite(count) && count >= 0))
    throw new Error('it counts uploads in no numbers');
  return counts.reduce((sum, count) => sum + count, 0);
}
