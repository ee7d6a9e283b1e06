import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../lib/errors.ts';

/**
 * Writes a file that only its owner may read: whole or not at all, also if the power goes.
 * @throws OperatorError if it cannot be written; what was there before is then still there.
 */
export function writePrivateFile(path: string, content: string): void {
  const draft = join(dirname(path), `.${process.pid}-${Date.now()}.draft`);
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new OperatorError(
      `Could not write "${path}": ${(error as NodeJS.ErrnoException).code}.`,
      'Check that its folder exists, is writable and has room.',
      { cause: error },
    );
  }
}
