// A program that inserts a row every 5 ms until its input ends, then says how long the slowest insert took. Each row is in a
// transaction of its own and on disk before the next, as Python's hooks write.
import Database from 'better-sqlite3';
import { addRows } from './big-memory.ts';

const EVERY_MS = 5;
const db = new Database(process.argv[2], { timeout: 60_000 });
db.pragma('synchronous = FULL');
const first = 1e9 + (db.prepare('SELECT max(rowid) FROM swarm_events').pluck().get() as number);
let [longestWaitMs, inserts] = [0, 0];
const startedMs = performance.now();
const timer = setInterval(() => {
  // What a slow insert held up is made up for.
  const due = Math.floor((performance.now() - startedMs) / EVERY_MS);
  while (inserts < due) {
    const beganMs = performance.now();
    addRows(db, first + inserts, 1);
    longestWaitMs = Math.max(longestWaitMs, performance.now() - beganMs);
    inserts += 1;
  }
}, EVERY_MS);
process.stdin.resume().on('end', () => {
  clearInterval(timer);
  process.stdout.write(JSON.stringify({ longestWaitMs, inserts }));
  db.close();
});
console.log('ready');
