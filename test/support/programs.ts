import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The Debian package of each program that tests need besides Node. */
const PACKAGES = {
  prometheus: 'prometheus',
  promtool: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  amtool: 'prometheus-alertmanager',
  chromium: 'chromium',
  git: 'git',
  openssl: 'openssl',
  'redis-server': 'redis-server',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
} as const;
type Program = keyof typeof PACKAGES;

/**
 * Where a program is.
 * @throws Error with the command that installs it.
 */
export function findProgram(name: Program): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (isExecutable(join(folder, name))) return join(folder, name);
  }
  throw missing(name, PACKAGES[name]);
}

/**
 * A Python that has the reference parser of OpenMetrics.
 * @throws Error with the command that installs it.
 */
export function findPythonWithOpenMetrics(): string {
  for (const python of ['/usr/bin/python3', 'python3']) {
    try {
      execFileSync(python, ['-c', 'import prometheus_client.openmetrics.parser'], { stdio: 'ignore' });
      return python;
    } catch {
      // Not this one: Debian's package serves Debian's own Python only.
    }
  }
  throw missing('a Python with prometheus_client', 'python3-prometheus-client');
}

/** Mounting needs root. Tests that mount are skipped without it, by name. */
export const IS_ROOT = process.getuid?.() === 0;

/** Runs a command as somebody who is bound by permissions: root without its capabilities, or whoever runs the tests. */
export function boundByPermissions(): readonly string[] {
  return IS_ROOT ? [findProgram('setpriv'), '--bounding-set=-all', '--inh-caps=-all', '--'] : [];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missing(what: string, debianPackage: string): Error {
  return new Error(`This test needs ${what}, which is not installed. Install it: apt-get install ${debianPackage}`);
}
