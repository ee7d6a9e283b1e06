import { describeError } from '../../../lib/errors.ts';
import { lookAtFiles } from '../../../lib/memory/files.ts';
import { MemoryError } from '../../../lib/memory/memory-error.ts';
import { readMemory } from '../../../lib/memory/source.ts';
import { duration } from '../../words.ts';
import { type CheckFunction, down, unavailable, up } from '../check.ts';

const HOUR_MS = 3_600_000;

/** Whether the swarm's memory can be read, and how fresh it is: old only where projects.json says so, for swarms rest. */
export const checkMemory: CheckFunction<'memory'> = async ({ maxAgeHours }, { swarmDbPath, nowMs }) => {
  let ageMs: number;
  try {
    await readMemory(swarmDbPath, ({ db }) => db.prepare('SELECT count(*) FROM sqlite_master').get());
    ageMs = Math.max(0, nowMs - lookAtFiles(swarmDbPath).modifiedMs);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    if (error.problem === 'missing') return unavailable({ it: 'qui non c’è', en: 'it is not here' });
    return down({ it: `non si legge (${error.problem})`, en: describeError(error, 200) });
  }
  const { it, en } = duration(ageMs);
  const isOld = maxAgeHours !== undefined && ageMs > maxAgeHours * HOUR_MS;
  const text = { it: `scritta ${it} fa`, en: `written ${en} ago` };
  return (isOld ? down : up)(text, { ageSeconds: Math.round(ageMs / 1_000) });
};
