import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { OperatorError } from '../../../lib/errors.ts';
import type { Check } from '../../../lib/project-checks.ts';
import { MOST_BODY_BYTES, readBody } from '../../bounded-body.ts';
import { same, type Words } from '../../words.ts';
import { type CheckContext, type CheckFunction, type CheckResult, certificateFigures, down, up } from '../check.ts';
import {
  type Certificate,
  describeExpiry,
  explainConnectionError,
  explainFault,
  openConnection,
  openTlsConnection,
} from '../connection.ts';

/** What an answer was like. */
interface Answer {
  readonly status: number;
  /** Where it sends one on to, without path; only for a redirect. */
  readonly redirect: string | undefined;
  /** Undefined if no text was looked for. */
  readonly hasText: boolean | undefined;
}

/**
 * Whether a page answers as it should: status (2xx unless stated), a text if one is stated, and a certificate to be trusted.
 * A redirect is an answer and is not followed: it would be another page that is checked.
 */
export const checkHttp: CheckFunction<'http'> = async (check, context) => {
  const url = new URL(check.url);
  try {
    const { socket, certificate } = await open(url, check.ca, context.signal);
    try {
      const figures = certificate === undefined ? {} : certificateFigures(certificate.expiresMs);
      if (certificate?.fault !== undefined) return down(explainFault(certificate.fault), figures);
      const result = judge(check, await ask(url, { socket, text: check.text, signal: context.signal }));
      return { ...withExpiry(result, certificate, context), figures: { ...figures, ...result.figures } };
    } finally {
      socket.destroy();
    }
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    return down(explainConnectionError(error));
  }
};

interface Opened {
  readonly socket: Socket;
  readonly certificate?: Certificate;
}

async function open(url: URL, ca: string | undefined, signal: AbortSignal): Promise<Opened> {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return isTls
    ? await openTlsConnection({ host, port, ca }, signal)
    : { socket: await openConnection({ host, port }, signal) };
}

interface Asking {
  readonly socket: Socket;
  readonly text: string | undefined;
  readonly signal: AbortSignal;
}

async function ask(url: URL, { socket, text, signal }: Asking): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asking = request({
      createConnection: () => socket,
      path: `${url.pathname}${url.search}`,
      // Nothing is unpacked, so that little cannot become much.
      headers: { Host: url.host, 'User-Agent': 'cervellaswarm-monitor', Accept: '*/*', 'Accept-Encoding': 'identity' },
      signal,
    });
    asking.once('response', resolve);
    asking.on('error', reject);
    // Another protocol, or an end before an answer.
    asking.once('close', () => reject(Object.assign(new Error('no answer'), { code: 'ECONNRESET' })));
    asking.end();
  });
  response.on('error', () => undefined);
  const status = response.statusCode ?? 0;
  const redirect = status >= 300 && status < 400 ? originOf(response.headers.location, url) : undefined;
  if (text === undefined) return { status, redirect, hasText: undefined };
  const body = await readBody(response, (read) => read.includes(text));
  return { status, redirect, hasText: body.includes(text) };
}

function originOf(location: string | undefined, url: URL): string | undefined {
  return location !== undefined && URL.canParse(location, url.href)
    ? new URL(location, url).origin.slice(0, 100)
    : undefined;
}

function judge({ status: expected, text }: Check<'http'>, { status, redirect, hasText }: Answer): CheckResult {
  const figures = { status };
  const isExpected = expected === undefined ? status >= 200 && status < 300 : status === expected;
  if (!isExpected) return down(describeStatus(status, expected, redirect), figures);
  if (hasText === false) {
    const most = MOST_BODY_BYTES / 1_024;
    const shown = (text ?? '').slice(0, 40);
    const it = `risposta ${status}, ma nei primi ${most} KiB non c’è «${shown}»`;
    return down({ it, en: `answered ${status}, but "${shown}" is not in its first ${most} KiB` }, figures);
  }
  return up({ it: `risposta ${status}`, en: `answered ${status}` }, figures);
}

function describeStatus(status: number, expected: number | undefined, redirect: string | undefined): Words {
  const wanted = expected ?? '2xx';
  const { it, en } =
    redirect === undefined ? same('') : { it: `, rimanda a ${redirect}`, en: `, sends on to ${redirect}` };
  return { it: `risposta ${status}${it}, attesa ${wanted}`, en: `answered ${status}${en}, expected ${wanted}` };
}

function withExpiry(result: CheckResult, certificate: Certificate | undefined, { nowMs }: CheckContext): CheckResult {
  if (certificate === undefined) return result;
  const { it, en } = describeExpiry(certificate, nowMs);
  return { ...result, text: { it: `${result.text.it}, ${it}`, en: `${result.text.en}, ${en}` } };
}
