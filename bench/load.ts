// One of the two processes that get in the exporter's way: `write` inserts 500 rows a second, `checkpoint` checkpoints.
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { addRows } from './big-memory.ts';

const [role, path] = process.argv.slice(2);
const db = new Database(path, { timeout: 5_000 });
for (let from = 1e9; ; from += 50) {
  if (role === 'write') addRows(db, from, 50);
  else db.pragma('wal_checkpoint(TRUNCATE)');
  await sleep(100);
}
