import type { Readable } from 'node:stream';

/** What an answer of somebody else may weigh; the rest is not read. */
export const MOST_BODY_BYTES = 2 ** 20;

/** Reads a body as text, up to a mebibyte, or until `isEnough` says so of what has come. */
export async function readBody(body: Readable, isEnough: (text: string) => boolean = () => false): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // Asking again for every small piece would take for ever with a server that sends single bytes.
    if (length >= MOST_BODY_BYTES || (chunks.length % 64 === 1 && isEnough(Buffer.concat(chunks).toString('utf8'))))
      break;
  }
  return Buffer.concat(chunks).subarray(0, MOST_BODY_BYTES).toString('utf8');
}
