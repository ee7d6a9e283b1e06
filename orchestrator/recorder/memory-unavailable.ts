import { dirname } from 'node:path';
import { OperatorError } from '../../lib/errors.ts';
import { MemoryError } from '../../lib/memory/memory-error.ts';

/**
 * The swarm's memory cannot be used right now and may be later: whoever has something to write keeps it and tries again.
 * Nothing of what was to be written has been.
 */
export class MemoryUnavailableError extends OperatorError {}

/** Another program is at work on it: this passes by itself, mostly within seconds. */
export class MemoryBusyError extends MemoryUnavailableError {}

const OF_THE_MEMORY =
  /^SQLITE_(BUSY|LOCKED|PROTOCOL|FULL|READONLY|CANTOPEN|PERM|AUTH|NOTADB|CORRUPT|IOERR|NOMEM|INTERRUPT|NOLFS|SCHEMA)/;

/** Whether an error lies in the memory as a whole, rather than in the row that was being written. */
export function isOfTheMemory(error: unknown): boolean {
  return OF_THE_MEMORY.test(sqliteCode(error));
}

/** What SQLite or the file system said, for the person in charge; what is neither is a bug and is given back as it is. */
export function explainUnavailable(path: string, error: unknown): unknown {
  if (error instanceof MemoryUnavailableError) return error;
  if (error instanceof MemoryError) return explainMemoryError(error);
  const code = sqliteCode(error);
  if (code === '') return error;
  const cause = { cause: error };
  if (code === 'SQLITE_READONLY_DBMOVED') return replacedMeanwhile(path);
  const what = `Could not use the swarm memory "${path}"`;
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) {
    return new MemoryBusyError(`${what}: another program holds it locked.`, 'Find it with: lsof, fuser.', cause);
  }
  const [reason, hint] = reasonOf(path, code, error);
  return new MemoryUnavailableError(`${what}: ${reason}.`, hint, cause);
}

/** The error for a memory that was moved away while it was written: what was written went with it. */
export function replacedMeanwhile(path: string): MemoryBusyError {
  return new MemoryBusyError(
    `Could not write to the swarm memory "${path}": another file took its place meanwhile.`,
    'Write again: it goes into the new file.',
  );
}

function explainMemoryError(error: MemoryError): MemoryUnavailableError {
  const passes = error.problem === 'locked' || error.problem === 'changing';
  const Kind = passes ? MemoryBusyError : MemoryUnavailableError;
  return new Kind(error.message, error.hint, { cause: error });
}

function reasonOf(path: string, code: string, error: unknown): readonly [reason: string, hint: string] {
  // SHMSIZE: not even the index of the -wal could be made.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE') {
    return ['its disk is full', 'Free some space there; what waits to be written is kept.'];
  }
  if (/^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|EACCES|EPERM|EROFS)/.test(code)) {
    const user = process.getuid?.() ?? '';
    const hint = `Give user ${user} write access to the file and to the folder ${dirname(path)}, and mount it writable.`;
    return ['this user may not write there', hint];
  }
  if (code === 'SQLITE_NOTADB') return ['it is not an SQLite database', 'Check SWARM_DB_PATH.'];
  if (/^SQLITE_CORRUPT|SHORT_READ/.test(code)) return [`it is damaged or cut short (${code})`, 'Restore a backup.'];
  if (/^SQLITE_IOERR/.test(code)) return [`its disk fails (${code})`, 'Look at the disk: dmesg, df.'];
  return [`${error instanceof Error ? error.message : String(error)} (${code})`, 'Run: swarm doctor.'];
}

function sqliteCode(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}
