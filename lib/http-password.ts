import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';

/** A check of whether a request brings this password, by HTTP basic authentication under any user name. */
export function createPasswordCheck(password: string): (request: Request) => boolean {
  const expected = digest(password);
  return ({ headers }) => {
    const [scheme, credentials = ''] = (headers.authorization ?? '').split(' ');
    const given = Buffer.from(credentials, 'base64')
      .toString('utf8')
      .replace(/^[^:]*:/, '');
    // Digests are of one length, so that comparing them tells nothing of the password.
    return scheme.toLowerCase() === 'basic' && timingSafeEqual(digest(given), expected);
  };
}

/** Has a browser ask its user for the password. */
export function askForPassword(response: Response): void {
  response
    .status(401)
    .set('WWW-Authenticate', 'Basic realm="CervellaSwarm", charset="UTF-8"')
    .json({ error: 'The password is that of ADMIN_PASSWORD; any user name will do.' });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
