import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { OperatorError } from '../../lib/errors.ts';
import type { Words } from '../words.ts';

/** Where to connect to. IPv6 addresses are written without brackets. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** A certificate as its server showed it. */
export interface Certificate {
  readonly expiresMs: number;
  /** Why it is not to be trusted: a code of OpenSSL or Node, such as CERT_HAS_EXPIRED. */
  readonly fault: string | undefined;
}

/** @throws Error with a code, as the operating system gives it, or an AbortError. */
export async function openConnection({ host, port }: Destination, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal });
  // One that comes after the end has nobody to be told to.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * The same with TLS on top. A certificate that is not to be trusted is no error here: it is looked at all the same, and
 * nothing may be sent.
 * @throws Error likewise, OperatorError if the file `ca` cannot be read.
 */
export async function openTlsConnection(
  { host, port, ca }: Destination & { readonly ca: string | undefined },
  signal: AbortSignal,
): Promise<{ readonly socket: TLSSocket; readonly certificate: Certificate }> {
  const trusted = ca === undefined ? {} : { ca: readCertificates(ca) };
  const plain = await openConnection({ host, port }, signal);
  const socket = connectTls({
    socket: plain,
    host,
    // An address is no name that a server could choose a certificate by.
    servername: isIP(host) ? '' : host,
    rejectUnauthorized: false,
    ...trusted,
  });
  socket.on('error', () => undefined);
  // Destroying the connection below would leave this one waiting.
  const stop = (): void => void socket.destroy(new Error('aborted'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    await once(socket, 'secureConnect');
    const expiresMs = Date.parse(socket.getPeerCertificate().valid_to);
    const fault = socket.authorized ? undefined : codeOf(socket.authorizationError);
    return { socket, certificate: { expiresMs, fault } };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function readCertificates(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new OperatorError(`Could not read the certificates "${path}".`, 'Check "ca" in projects.json.', {
      cause: error,
    });
  }
}

const REASONS: Readonly<Record<string, Words>> = {
  ENOTFOUND: { it: 'il nome non esiste', en: 'there is no such name' },
  EAI_AGAIN: { it: 'il nome non si riesce a risolvere', en: 'the name cannot be resolved' },
  ECONNREFUSED: { it: 'nessuno ascolta', en: 'nobody listens' },
  ECONNRESET: { it: 'collegamento interrotto', en: 'the connection was cut' },
  EPIPE: { it: 'collegamento interrotto', en: 'the connection was cut' },
  ETIMEDOUT: { it: 'nessuna risposta', en: 'no answer' },
  EHOSTUNREACH: { it: 'non raggiungibile', en: 'cannot be reached' },
  ENETUNREACH: { it: 'non raggiungibile', en: 'cannot be reached' },
};

/** Why there was no connection, or no answer over it. */
export function explainConnectionError(error: unknown): Words {
  const code = codeOf(error);
  const { it, en } = REASONS[code] ?? { it: 'nessuna risposta corretta', en: 'no proper answer' };
  return { it: `${it} (${code})`, en: `${en} (${code})` };
}

/** Why a certificate is not to be trusted. */
export function explainFault(fault: string): Words {
  return fault === 'CERT_HAS_EXPIRED'
    ? { it: 'certificato scaduto', en: 'the certificate has expired' }
    : { it: `certificato non valido (${fault})`, en: `the certificate is not valid (${fault})` };
}

/** How long a certificate is still good for. */
export function describeExpiry({ expiresMs }: Certificate, nowMs: number): Words {
  const days = Math.floor((expiresMs - nowMs) / 86_400_000);
  return { it: `certificato ancora ${days} g`, en: `certificate for another ${days} d` };
}

/** Codes are words of Node, OpenSSL or llhttp; anything else might be of the other side's making. */
function codeOf(error: unknown): string {
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as NodeJS.ErrnoException;
  const text = typeof error === 'string' ? error : (code ?? (message === 'aborted' ? 'ETIMEDOUT' : 'error'));
  return /^[A-Z][A-Z0-9_]{1,60}$/.test(text) ? text : 'error';
}
