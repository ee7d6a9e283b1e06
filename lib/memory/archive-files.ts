import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';

/** A file of events that were moved out of a memory, which still count. */
export interface ArchiveFile {
  readonly path: string;
  readonly year: number;
}

/** SQLite attaches no more to one connection; that is ten years. */
export const MOST_ARCHIVES = 10;

/** The archives beside a memory, the oldest first; none if there is no memory. */
export function listArchives(memoryPath: string): readonly ArchiveFile[] {
  let real: string;
  let names: readonly string[];
  try {
    real = realpathSync(memoryPath);
    names = readdirSync(dirname(real));
  } catch {
    return [];
  }
  const prefix = `${parse(real).name}-archive-`;
  return names
    .flatMap((name) => {
      const year = name.startsWith(prefix) ? /^(\d{4})\.db$/.exec(name.slice(prefix.length))?.[1] : undefined;
      return year === undefined ? [] : [{ path: join(dirname(real), name), year: Number(year) }];
    })
    .toSorted((one, other) => one.year - other.year);
}

/** Where the events of a year go. */
export function archivePath(memoryPath: string, year: number): string {
  const { dir, name } = parse(realpathSync(memoryPath));
  return join(dir, `${name}-archive-${String(year).padStart(4, '0')}.db`);
}
