import { existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, parse, resolve } from 'node:path';
import { UsageError } from '../../lib/errors.ts';
import { isOccupied, replaceDatabase } from '../../lib/memory/replace.ts';
import type { Backup } from '../../scheduler/backup/catalogue.ts';
import { findBackup } from '../../scheduler/backup/catalogue.ts';
import { stampOf } from '../../scheduler/backup/file-names.ts';
import { explainFolder } from '../../scheduler/backup/folder.ts';
import { unpackBackup } from '../../scheduler/backup/unpack-backup.ts';
import { readChecksum } from '../../scheduler/backup/upkeep.ts';
import { lookIntoMonitorDb } from '../../scheduler/monitor-db.ts';
import { type AddCommand, loadCommandScheduler, printJson, printLines } from '../command.ts';
import { withOwnership } from '../restore/with-ownership.ts';

interface Options {
  readonly to: string;
  readonly force?: true;
  readonly json?: true;
}

/** `swarm restore`: a backup becomes a database again, once it is proven to be whole. */
export const addRestoreCommand: AddCommand = (program) => {
  program
    .command('restore')
    .description('unpack a backup, prove that it is whole, and put it in its place')
    .argument('<file>', 'a backup: .db.gz, or .db.gz.enc (with BACKUP_PASSPHRASE)')
    .requiredOption('--to <path>', 'where the database is to be')
    .option('--force', 'also if a database is there: it is kept under another name')
    .option('--json', 'print what was done as JSON')
    .action(restore);
};

async function restore(given: string, options: Options): Promise<void> {
  const [file, to] = [resolve(given), realPath(resolve(options.to))];
  if (isOccupied(to) && !options.force) {
    throw new UsageError(
      `Could not restore to "${to}": a database is there, or what belongs to one.`,
      'Give another path, or --force: what is there is then kept under another name.',
    );
  }
  const config = loadCommandScheduler();
  const folder = dirname(to);
  const known = lookUp(file, config.monitorDbPath);
  const sha256 = known?.sha256 ?? readChecksum(file);
  makeFolder(folder);
  const passphrase = config.backupPassphrase;
  const { path, rowCounts } = await unpackBackup({ ...known, sha256, file, folder, passphrase });
  try {
    const safetyCopy = await withOwnership(to, () => putInPlace(to, path));
    const isChecksumKnown = sha256 !== undefined;
    if (options.json) printJson({ file, to, rows: rowCounts ?? null, safetyCopy: safetyCopy ?? null, isChecksumKnown });
    else printLines(describe({ to, rowCounts, safetyCopy, isChecksumKnown }));
  } finally {
    rmSync(path, { force: true });
  }
}

/** Gives where what was there is kept. */
function putInPlace(to: string, path: string): string | undefined {
  const safetyPath = freeSafetyPath(to);
  const wasOccupied = isOccupied(to);
  try {
    replaceDatabase({ path: to, by: path, safetyPath });
  } catch (error) {
    throw explainFolder(dirname(to), error);
  }
  return wasOccupied ? safetyPath : undefined;
}

function freeSafetyPath(to: string): string {
  const { dir, name, ext } = parse(to);
  for (let ms = Date.now(); ; ms += 1_000) {
    const path = join(dir, `${name}.before-restore-${stampOf(ms)}${ext}`);
    if (!isOccupied(path)) return path;
  }
}

/** A catalogue that is away or damaged is no reason not to restore. */
function lookUp(file: string, monitorDbPath: string): Backup | undefined {
  try {
    const db = lookIntoMonitorDb(monitorDbPath);
    try {
      return db && findBackup(db, file);
    } finally {
      db?.close();
    }
  } catch {
    return undefined;
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw explainFolder(folder, error);
  }
}

function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  return existsSync(dirname(path)) ? join(realpathSync(dirname(path)), basename(path)) : path;
}

interface Done {
  readonly to: string;
  readonly rowCounts: Readonly<Record<string, number>> | undefined;
  readonly safetyCopy: string | undefined;
  readonly isChecksumKnown: boolean;
}

function describe({ to, rowCounts, safetyCopy, isChecksumKnown }: Done): readonly string[] {
  const rows = Object.entries(rowCounts ?? {}).map(([table, count]) => `${table} ${count}`);
  return [
    `Restored to ${to}${rows.length > 0 ? `; rows: ${rows.join(', ')}` : ''}`,
    ...(safetyCopy ? [`What was there is kept: ${safetyCopy}`] : []),
    ...(isChecksumKnown ? [] : ['Nobody knew its checksum: only its own marks and its pages were checked.']),
  ];
}
