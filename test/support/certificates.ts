import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './programs.ts';

/** A key and the certificate that it signed for itself. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** The certificate's file, for whoever is to trust it. */
  readonly file: string;
}

const CONFIG = `[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = names
copy_extensions = copy
[any]
commonName = supplied
`;

/** Makes a certificate for localhost and 127.0.0.1 that is good between two moments. */
export function makeCertificate(folder: string, fromMs: number, toMs: number): Certificate {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('index.txt', '');
  write('serial', '01\n');
  write('ca.cnf', `${CONFIG}[names]\nsubjectAltName = DNS:localhost, IP:127.0.0.1\n`);
  const openssl = (...args: string[]): void => {
    execFileSync(findProgram('openssl'), args, { cwd: folder, stdio: 'ignore' });
  };
  openssl(
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'key.pem',
    '-out',
    'req.pem',
    '-subj',
    '/CN=localhost',
  );
  const dates = ['-startdate', stamp(fromMs), '-enddate', stamp(toMs)];
  openssl(
    'ca',
    '-config',
    'ca.cnf',
    '-batch',
    '-selfsign',
    '-keyfile',
    'key.pem',
    '-in',
    'req.pem',
    '-out',
    'cert.pem',
    ...dates,
  );
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { key: read('key.pem'), cert: read('cert.pem'), file: join(folder, 'cert.pem') };
}

function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
}
