import { createHmac, timingSafeEqual } from 'node:crypto';

const FORM = /^sha256=([\da-f]{64})$/;

/** Whether a header has the form of GitHub's signature at all: what has not need not be read any further. */
export function looksSigned(header: string | undefined): header is string {
  return FORM.test(header ?? '');
}

/** Whether `X-Hub-Signature-256` is that of these bytes, compared in constant time. */
export function isSigned(body: Uint8Array, header: string | undefined, secret: string): boolean {
  const given = Buffer.from(FORM.exec(header ?? '')?.[1] ?? '', 'hex');
  const expected = createHmac('sha256', secret).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}
