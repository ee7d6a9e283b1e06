import { askProgram } from '../../program.ts';
import { same } from '../../words.ts';
import { type CheckFunction, down, unavailable, up } from '../check.ts';

/** What `systemctl is-active` may print of a unit; anything else means that it could not ask. */
const STATES = ['active', 'reloading', 'refreshing', 'inactive', 'failed', 'activating', 'deactivating', 'maintenance'];
const RUNNING = ['active', 'reloading', 'refreshing'];

/** Whether a unit of systemd is active. */
export const checkSystemd: CheckFunction<'systemd'> = async ({ unit, timeoutSeconds }, { signal }) => {
  const options = { folder: '/', signal, timeoutMs: timeoutSeconds * 1_000 };
  const end = await askProgram('systemctl', ['is-active', '--', unit], options);
  const state = STATES.find((each) => each === end?.stdout.trim());
  if (state === undefined) return unavailable({ it: 'qui non c’è systemd', en: 'there is no systemd here' });
  return (RUNNING.includes(state) ? up : down)(same(state));
};
