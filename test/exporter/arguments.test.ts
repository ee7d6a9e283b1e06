import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/exporter/main.js', import.meta.url));

test.each([
  ['--help', 0, 'Usage: node dist/exporter/main.js (no arguments'],
  ['--port=9091', 2, 'it takes no argument "--port=9091". Usage: node dist/exporter/main.js'],
])('the exporter given %s starts nothing and ends with %i', (argument, code, text) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, argument], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([status, stdout + stderr]).toEqual([code, expect.stringContaining(text)]);
});
