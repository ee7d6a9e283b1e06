import {
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError, UsageError } from './errors.ts';

/**
 * Writes a file that only its owner may read: whole or not at all, also if the power goes. A file that is replaced keeps its
 * owner, a link what it points at.
 * @throws UsageError if something else than a file is there, OperatorError if it cannot be written; what was there before is
 * then still there.
 */
export function writePrivateFile(output: string, content: string): void {
  const old = statSync(output, { throwIfNoEntry: false });
  if (old && !old.isFile()) {
    throw new UsageError(`Could not write "${output}": it is no ordinary file.`, 'Name a file of its own.');
  }
  const path = old ? realpathSync(output) : output;
  const draft = join(dirname(path), `.${process.pid}-${Date.now()}.draft`);
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(file, content);
      if (old && old.uid !== process.getuid?.()) fchownSync(file, old.uid, old.gid);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new OperatorError(
      `Could not write "${path}": ${(error as NodeJS.ErrnoException).code}.`,
      'Check that its folder exists, is writable and has room, and that you may give a file to its owner.',
      { cause: error },
    );
  }
}
