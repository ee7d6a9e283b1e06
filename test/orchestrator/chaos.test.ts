import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const CHAOS = fileURLToPath(new URL('../chaos.mjs', import.meta.url));
const LAST_RESORT_MS = 280_000;

test('whatever is killed, every task ends once and the books balance', async () => {
  const args = [CHAOS, '--tasks', '40', '--minutes', '0.4', '--seed', '1'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LAST_RESORT_MS });
  expect(stdout).toMatch(/rows of ends +40\n/);
  expect(stdout).toMatch(/orchestrator killed +[1-9]/);
  expect(stdout).toMatch(/nothing was lost\n$/);
}, 300_000);
