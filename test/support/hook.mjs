// What a hook does, so many times: node hook.mjs PATH TIMES
// It opens the memory, inserts one row and closes it again.
import Database from 'better-sqlite3';

const [path, times] = process.argv.slice(2);
console.log('ready');
for (let index = 0; index < Number(times); index += 1) {
  const db = new Database(path, { timeout: 5_000 });
  db.prepare("INSERT INTO swarm_events (id, timestamp, event_type) VALUES (?, datetime('now'), 'subagent_stop')").run(
    `hook-${index}`,
  );
  db.close();
}
