// A program that works on a memory in its own process: node writer.mjs PATH SQL [EVERY_MS]
// It opens the file, runs the SQL (again every so often if told), says "ready" and keeps the file open until it is killed.
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';

const [path, sql, everyMs] = process.argv.slice(2);
const db = new Database(path, { timeout: 5_000 });
db.pragma('wal_autocheckpoint = 0');
db.exec(sql);
console.log('ready');
for (;;) {
  await sleep(everyMs === undefined ? 60_000 : Number(everyMs));
  if (everyMs !== undefined) db.exec(sql);
}
