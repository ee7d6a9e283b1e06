import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { SWARM_TABLES } from '../lib/memory/tables.ts';

/** Size and shape of a memory to measure on. */
export interface BigMemoryOptions {
  readonly path: string;
  readonly rows: number;
  readonly days: number;
}

/**
 * Makes a memory of about 1.3 kB a row, written by SQLite itself: every other row a stop row, most of them followed by the
 * task row it pairs with; one row in ten from the queue, with a duration. An existing file is used again.
 */
export function makeBigMemory({ path, rows, days }: BigMemoryOptions): void {
  if (existsSync(path)) return;
  const db = new Database(path);
  db.pragma('journal_mode = OFF');
  db.pragma('synchronous = OFF');
  db.exec(SWARM_TABLES);
  const insert = db.prepare(
    insertSql('n', "strftime('%s', 'now') - @days * 86400 + (n / 2 * 2) * @days * 86400.0 / @rows"),
  );
  db.transaction(() => insert.run({ rows, days }))();
  db.pragma('journal_mode = WAL');
  db.close();
}

/** Adds rows that end now, as a busy swarm would. `from` is the number of the first. */
export function addRows(db: Database.Database, from: number, count: number): void {
  db.prepare(insertSql(`n + ${from}`, `strftime('%s', 'now')`)).run({ rows: count, days: 0 });
}

/** As many rows as @rows says, numbered by an expression over n = 1, 2, …; @days is for the expression of their time. */
function insertSql(number: string, seconds: string): string {
  return `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < @rows),
    events(n, s) AS (SELECT ${number}, CAST(${seconds} + 0 * @days AS INTEGER) FROM numbers)
  INSERT INTO swarm_events (id, timestamp, session_id, event_type, agent_name, task_id, task_description, task_status,
    duration_ms, success, error_message, project, tags, notes, created_at)
  SELECT
    printf('%08x-%04x-4000-a000-%012x', n, n % 65536, n * 7919),
    strftime('%Y-%m-%dT%H:%M:%f', s, 'unixepoch') || '123+00:00',
    printf('session-%d', n / 40),
    CASE WHEN n % 10 = 9 THEN CASE WHEN n % 70 = 9 THEN 'task_failed' ELSE 'task_complete' END
         WHEN n % 2 = 0 THEN 'subagent_stop' ELSE 'task_complete' END,
    printf('cervella-%02d', (n / 2) % 17),
    CASE WHEN n % 10 = 9 THEN printf('task-%d', n) END,
    printf('%.*c', 500 + n % 400, 'x'),
    'completed',
    CASE WHEN n % 10 = 9 THEN 1000 + (n * 7919) % 900000 END,
    CASE WHEN n % 70 = 9 THEN 0 WHEN n % 2 = 1 THEN 1 END,
    CASE WHEN n % 70 = 9 THEN printf('Timeout after %d s in /srv/app/%d.ts', n % 600, n % 50) END,
    printf('project-%d', n % 5),
    CASE WHEN n % 10 = 9 THEN '["orchestrated","autonomous"]' END,
    CASE WHEN n % 2 = 0 THEN printf('{"agent_id":"%08x","transcript_path":"/srv/t/%d.jsonl","summary":"%.*c"}', n, n, 150, 'y') END,
    datetime(s, 'unixepoch')
  FROM events`;
}
