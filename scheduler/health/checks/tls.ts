import { OperatorError } from '../../../lib/errors.ts';
import { type CheckFunction, certificateFigures, down, up } from '../check.ts';
import { describeExpiry, explainConnectionError, explainFault, openTlsConnection } from '../connection.ts';

const DAY_MS = 86_400_000;

/** Whether a server's certificate is to be trusted, and for how long. */
export const checkTls: CheckFunction<'tls'> = async ({ host, port, minDays, ca }, { signal, nowMs }) => {
  try {
    const { socket, certificate } = await openTlsConnection({ host, port, ca }, signal);
    socket.destroy();
    const figures = certificateFigures(certificate.expiresMs);
    if (certificate.fault !== undefined) return down(explainFault(certificate.fault), figures);
    const isSoonOver = certificate.expiresMs - nowMs < minDays * DAY_MS;
    return (isSoonOver ? down : up)(describeExpiry(certificate, nowMs), figures);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    return down(explainConnectionError(error));
  }
};
