import type { Database, Statement } from 'better-sqlite3';

/** Values for the columns of one row; columns left out take their default. */
export type Row = Readonly<Record<string, string | number | null>>;

/** Inserts rows given as objects; statements are prepared once for each set of columns. */
export function createRowWriter(db: Database): (table: string, row: Row) => void {
  const statements = new Map<string, Statement>();
  return (table, row) => {
    const columns = Object.keys(row);
    const key = `${table} ${columns.join()}`;
    const names = columns.map((column) => `"${column}"`).join(', ');
    const places = columns.map(() => '?').join(', ');
    const statement = statements.get(key) ?? db.prepare(`INSERT INTO ${table} (${names}) VALUES (${places})`);
    statements.set(key, statement);
    statement.run(...Object.values(row));
  };
}

/** The four ways in which times are written into a memory. */
export const timeText = {
  /** What the PostToolUse hook writes. */
  utcMicroseconds: (ms: number): string => new Date(ms).toISOString().replace('Z', '123+00:00'),
  /** What SQLite's datetime('now') writes. */
  sqlite: (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' '),
  zulu: (ms: number): string => new Date(ms).toISOString(),
  /** What the SubagentStop hook writes: local time without saying so. */
  naiveLocal: (ms: number, timezone: string): string => {
    const parts = new Intl.DateTimeFormat('sv-SE', {
      timeZone: timezone,
      dateStyle: 'short',
      timeStyle: 'medium',
    }).format(ms);
    return `${parts.replace(' ', 'T')}.${String(ms % 1_000).padStart(3, '0')}456`;
  },
} as const;
