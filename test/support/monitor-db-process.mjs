// A process that works on a monitor.db: `open PATH`, or `run FOLDER`: claims the slot of now and never ends its run.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} path */
const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const [mode, path] = process.argv.slice(2);
if (mode === 'open') {
  const { openMonitorDb } = await dist('scheduler/monitor-db.js');
  openMonitorDb(path).close();
} else {
  const { assemble } = await dist('scheduler/assemble.js');
  const { readSettings } = await dist('scheduler/settings.js');
  const { createLog } = await dist('lib/log.js');
  const env = {
    MONITOR_DB_PATH: join(path, 'monitor.db'),
    PROJECTS_FILE: join(path, 'none.json'),
    SWARM_TIMEZONE: 'UTC',
  };
  let now = Date.parse('2026-06-01T08:59:00Z');
  const timetable = [{ job: 'job', at: '0 9 * * *', catchUp: { policy: 'latest', withinHours: 24 }, overlap: 'skip' }];
  const run = () => {
    appendFileSync(join(path, 'began'), 'x');
    console.log('claimed');
    return new Promise(() => undefined);
  };
  const machinery = assemble(readSettings(env), createLog('test', 'silent'), {
    timetable,
    jobs: [{ name: 'job', run }],
    clock: () => now,
  });
  machinery.runner.tick();
  now = Date.parse('2026-06-01T09:00:00Z');
  machinery.runner.tick();
  setInterval(() => machinery.runner.tick(), 50);
}
