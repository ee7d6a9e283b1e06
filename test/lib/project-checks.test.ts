import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UsageError } from '../../lib/errors.ts';
import { readProjects } from '../../lib/projects.ts';
import { tempDir } from '../support/memory-builder.ts';

/** A projects.json whose one project has these checks. */
function fileWith(checks: unknown): string {
  const file = join(tempDir(), 'projects.json');
  writeFileSync(file, JSON.stringify({ projects: [{ name: 'acme', path: '/srv/acme', checks }] }));
  return file;
}

const checksOf = (checks: unknown) => readProjects(fileWith(checks)).get('acme')?.checks;

test('every type has its fields and defaults', () => {
  expect(
    checksOf([
      { type: 'http', url: 'https://acme.example/health?full', status: 200, text: 'ok', timeoutSeconds: 3 },
      { type: 'tls', host: 'acme.example', name: 'mail' },
      { type: 'tcp', host: '::1', port: 8001 },
      { type: 'disk' },
      { type: 'git' },
      { type: 'container', container: 'acme-app_1', docker: 'unix:///var/run/docker.sock' },
      { type: 'systemd', unit: 'acme@1.service' },
      { type: 'memory', maxAgeHours: 72 },
      { type: 'backup', folder: '/srv/copies' },
    ]),
  ).toMatchObject([
    { name: 'http', url: 'https://acme.example/health?full', status: 200, text: 'ok', timeoutSeconds: 3 },
    { name: 'mail', port: 443, minDays: 0, timeoutSeconds: 15 },
    { name: 'tcp', host: '::1', port: 8001 },
    { name: 'disk', minFreeGb: 1 },
    { name: 'git' },
    { name: 'container', docker: 'unix:///var/run/docker.sock' },
    { name: 'systemd' },
    { name: 'memory', maxAgeHours: 72 },
    { name: 'backup', folder: '/srv/copies', maxAgeHours: 8 },
  ]);
});

test('paths are seen from the file', () => {
  const file = fileWith([{ type: 'backup', folder: 'copies' }]);
  expect(readProjects(file).get('acme')?.checks).toMatchObject([{ folder: join(file, '..', 'copies') }]);
});

test('checks without a name are called after their type, and no two alike', () => {
  const tcp = { type: 'tcp', host: 'localhost', port: 1 };
  const names = checksOf([tcp, { ...tcp, name: 'tcp-2' }, tcp, tcp])?.map(({ name }) => name);
  expect(names).toEqual(['tcp', 'tcp-2', 'tcp-3', 'tcp-4']);
});

const HTTP = 'an address that begins with http:// or https://, without a password';
const TYPES = 'one of http, tls, tcp, disk, git, container, systemd, memory, backup';
const EXAMPLE = 'an object such as {"type": "http", "url": "https://…"}';

test.each([
  ['http', 'its checks are "http", expected a list'],
  [{ type: 'http' }, 'its checks are {"type":"http"}, expected a list'],
  [[null], `its check 1 is null, expected ${EXAMPLE}`],
  [['http'], `its check 1 is "http", expected ${EXAMPLE}`],
  [[{}], `the type of its check 1 is not there, expected ${TYPES}`],
  [[{ type: 'ftp' }], `the type of its check 1 is "ftp", expected ${TYPES}`],
  [[{ type: 'toString' }], `the type of its check 1 is "toString", expected ${TYPES}`],
  [[{ type: 'git' }, { type: 'http' }], `its check 2 (http) has no url, expected ${HTTP}`],
  [[{ type: 'http', url: 'acme.example' }], `its check 1 (http) has the url "acme.example", expected ${HTTP}`],
  [
    [{ type: 'http', url: 'file:///etc/passwd' }],
    `its check 1 (http) has the url "file:///etc/passwd", expected ${HTTP}`,
  ],
  [[{ type: 'http', url: 'http://me:key@a/' }], `its check 1 (http) has the url "http://me:key@a/", expected ${HTTP}`],
  [[{ type: 'http', url: 7 }], `its check 1 (http) has the url 7, expected ${HTTP}`],
  [
    [{ type: 'http', url: 'http://a/', status: '200' }],
    'its check 1 (http) has the status "200", expected a status from 100 to 599',
  ],
  [
    [{ type: 'http', url: 'http://a/', text: '' }],
    'its check 1 (http) has the text "", expected some text of at most 1000 characters',
  ],
  [
    [{ type: 'http', url: 'http://a/', staus: 200 }],
    'its check 1 (http) has "staus", which it does not know; it knows url, status, text, ca, name, timeoutSeconds',
  ],
  [
    [{ type: 'http', url: 'http://a/', timeoutSeconds: 0 }],
    'its check 1 (http) has the timeoutSeconds 0, expected a number of seconds from 1 to 120',
  ],
  [[{ type: 'tcp', port: 1 }], 'its check 1 (tcp) has no host, expected a host name or an address'],
  [[{ type: 'tcp', host: 'a b', port: 1 }], 'its check 1 (tcp) has the host "a b", expected a host name or an address'],
  [
    [{ type: 'tcp', host: 'a', port: 70_000 }],
    'its check 1 (tcp) has the port 70000, expected a port number from 1 to 65535',
  ],
  [
    [{ type: 'container', container: '../secrets' }],
    'its check 1 (container) has the container "../secrets", expected the name of a container',
  ],
  [
    [{ type: 'container', container: 'a', docker: 'docker.sock' }],
    'its check 1 (container) has the docker "docker.sock", expected an address such as unix:///var/run/docker.sock or http://docker-proxy:2375',
  ],
  [
    [{ type: 'systemd', unit: '--all' }],
    'its check 1 (systemd) has the unit "--all", expected the name of a unit, such as nginx.service',
  ],
  [
    [{ type: 'disk', minFreeGb: -1 }],
    'its check 1 (disk) has the minFreeGb -1, expected a number of gigabytes of 0 or more',
  ],
  [
    [{ type: 'memory', maxAgeHours: 0 }],
    'its check 1 (memory) has the maxAgeHours 0, expected a number of hours above 0',
  ],
  [
    [{ type: 'git', name: 'my git' }],
    'its check 1 (git) has the name "my git", expected a short name of letters, digits, dots, dashes',
  ],
  [
    [
      { type: 'git', name: 'a' },
      { type: 'disk', name: 'a' },
    ],
    'two of its checks are called "a"',
  ],
  [[{ type: '\u001b[2J\u202e\u009b' }], `the type of its check 1 is "\\u001b[2J\\u202e\\u009b", expected ${TYPES}`],
])('a mistake is told as a person would: %j', (checks, reason) => {
  const file = fileWith(checks);
  const refusal = (() => {
    try {
      return readProjects(file);
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toBeInstanceOf(UsageError);
  expect(refusal).toMatchObject({
    message: `Could not use project "acme" of "${file}": ${reason}.`,
    hint: 'Correct it, then start again.',
  });
});
