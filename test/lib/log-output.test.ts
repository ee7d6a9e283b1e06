import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLogOutput } from '../../lib/log-output.ts';
import { tempDir } from '../support/memory-builder.ts';

/** A pipe that is its own reader, so that it can be full and then have room again. */
function openPipe(): number {
  const path = join(tempDir(), 'pipe');
  execFileSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(pipe));
  return pipe;
}

function readAll(pipe: number): string {
  const buffer = Buffer.alloc(1 << 20);
  return buffer.toString('utf8', 0, readSync(pipe, buffer));
}

test('lines that find no room are left out and counted, and the number follows once there is room', () => {
  const pipe = openPipe();
  const { write } = createLogOutput(pipe);
  const line = `${JSON.stringify({ msg: 'x'.repeat(10_000) })}\n`;
  for (let count = 0; count < 10; count += 1) write(line);
  // What fits is there, the last of it torn.
  const whole = Math.floor(65_536 / line.length);
  expect(readAll(pipe).split('\n').slice(0, whole)).toEqual(Array.from({ length: whole }, () => line.trimEnd()));
  write(line);
  write(line);
  const lost = JSON.stringify({ level: 40, lost: 10 - whole, reason: 'EAGAIN', msg: 'lines of this log are lost' });
  expect(readAll(pipe)).toBe(`\n${lost}\n${line}${line}`);
});

test('a full disk stops nothing', () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  const { write } = createLogOutput(full);
  expect(() => write('a line\n')).not.toThrow();
});
