import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stateOf } from '../support/exporter-state.ts';
import { type TestMemory, tempDir } from '../support/memory-builder.ts';
import { fiveRuns } from '../support/memory-figures.ts';
import { findProgram, IS_ROOT } from '../support/programs.ts';
import { type RunningExporter, startExporter } from '../support/running-exporter.ts';
import { startWriter } from '../support/writer-process.ts';

/** How the memory comes before the exporter's eyes: what of it is mounted, and whether it may be written there. */
const MOUNTS = {
  'a read-only folder': 'mount --bind "$0" "$1" && mount -o remount,bind,ro "$1"',
  'a writable folder': 'mount --bind "$0" "$1"',
  'a read-only file': 'touch "$1/swarm_memory.db" && mount --bind -o ro "$0/swarm_memory.db" "$1/swarm_memory.db"',
  'a writable file': 'touch "$1/swarm_memory.db" && mount --bind "$0/swarm_memory.db" "$1/swarm_memory.db"',
} as const;
type Mount = keyof typeof MOUNTS;

/** Starts the exporter in a mount namespace of its own, which goes with it, looking at the memory through a mount. */
function startBehind(mount: Mount, memory: TestMemory): Promise<RunningExporter> {
  const mountPoint = join(tempDir(), 'mounted here');
  mkdirSync(mountPoint);
  findProgram('mount');
  const script = `${MOUNTS[mount]} && shift && exec "$@"`;
  return startExporter({
    databasePath: join(mountPoint, 'swarm_memory.db'),
    within: [findProgram('unshare'), '-m', 'sh', '-ec', script, dirname(memory.path), mountPoint],
  });
}

const ADD_ONE = `INSERT INTO swarm_events (id, timestamp, event_type) VALUES (hex(randomblob(8)), '', 'task_success')`;
const addOne = (memory: TestMemory): void => void memory.write((db) => db.exec(ADD_ONE));
const killedWriter = async ({ path }: TestMemory): Promise<void> => (await startWriter(path, ADD_ONE))();
const withoutShm = async (memory: TestMemory): Promise<void> => {
  await killedWriter(memory);
  unlinkSync(`${memory.path}-shm`);
};
const liveWriter = async ({ path }: TestMemory): Promise<void> => void (await startWriter(path, ADD_ONE));
const rollbackJournal = (memory: TestMemory): void => {
  memory.write((db) => db.pragma('journal_mode = DELETE'));
  addOne(memory);
};
const companions = ({ path }: TestMemory): string[] => readdirSync(dirname(path)).toSorted();

const MAKE_WRITABLE = /its -wal holds changes, but its -shm is missing .* mount .* writable here/;

describe.skipIf(!IS_ROOT)('behind a real mount (skipped unless run as root, who alone may mount)', () => {
  test.each<[string, Mount, (memory: TestMemory) => unknown, readonly ['up', number] | readonly ['down', RegExp]]>([
    ['at rest', 'a read-only folder', () => {}, ['up', 5]],
    ['with a live writer', 'a read-only folder', liveWriter, ['up', 6]],
    ['whose writer was killed', 'a read-only folder', killedWriter, ['up', 6]],
    ['whose writer closed cleanly', 'a read-only folder', addOne, ['up', 6]],
    ['with a -wal and no -shm', 'a read-only folder', withoutShm, ['down', MAKE_WRITABLE]],
    ['with a rollback journal', 'a read-only folder', rollbackJournal, ['up', 6]],
    ['at rest', 'a writable folder', () => {}, ['up', 5]],
    ['with a live writer', 'a writable folder', liveWriter, ['up', 6]],
    ['whose writer was killed', 'a writable folder', killedWriter, ['up', 6]],
    ['with a -wal and no -shm', 'a writable folder', withoutShm, ['up', 6]],
    ['with a rollback journal', 'a writable folder', rollbackJournal, ['up', 6]],
    ['at rest', 'a read-only file', () => {}, ['down', /the file itself is mounted.*Mount its folder/]],
    ['with a live writer', 'a writable file', liveWriter, ['down', /the file itself is mounted.*Mount its folder/]],
  ])('a memory %s in %s', async (_, mount, prepare, [state, figure]) => {
    const memory = fiveRuns();
    await prepare(memory);
    const found = await stateOf(await startBehind(mount, memory));
    expect(found).toEqual([state, figure instanceof RegExp ? expect.stringMatching(figure) : figure]);
  });

  test.each<Mount>(['a read-only folder', 'a writable folder'])(
    'what a hook writes and closes is in the next answer, in %s, and the exporter leaves no file behind',
    async (mount) => {
      const memory = fiveRuns();
      const exporter = await startBehind(mount, memory);
      expect(await stateOf(exporter)).toEqual(['up', 5]);
      for (const tasks of [6, 7, 8]) {
        addOne(memory);
        expect(await stateOf(exporter)).toEqual(['up', tasks]);
      }
      expect(companions(memory)).toEqual(['swarm_memory.db']);
    },
  );

  test.each<Mount>(['a read-only folder', 'a writable folder'])(
    'what a live writer commits is in the next answer, and so is what another file holds that takes its place, in %s',
    async (mount) => {
      const memory = fiveRuns();
      const exporter = await startBehind(mount, memory);
      const kill = await startWriter(memory.path, ADD_ONE);
      expect(await stateOf(exporter)).toEqual(['up', 6]);
      await startWriter(memory.path, `${ADD_ONE}; ${ADD_ONE}`);
      expect(await stateOf(exporter)).toEqual(['up', 8]);
      await kill();
      const other = fiveRuns(join(dirname(memory.path), 'restored.db'));
      addOne(other);
      for (const name of ['-wal', '-shm']) rmSync(memory.path + name, { force: true });
      renameSync(other.path, memory.path);
      expect(await stateOf(exporter)).toEqual(['up', 6]);
    },
  );

  test('a mounted file stays refused when the file outside is replaced by rename', async () => {
    const memory = fiveRuns();
    const exporter = await startBehind('a read-only file', memory);
    copyFileSync(memory.path, `${memory.path}.new`);
    renameSync(`${memory.path}.new`, memory.path);
    expect(await stateOf(exporter)).toEqual(['down', expect.stringContaining('the file itself is mounted')]);
  });

  test('a memory that cannot be read for want of its -shm is read once somebody opened it with write access', async () => {
    const memory = fiveRuns();
    await withoutShm(memory);
    const exporter = await startBehind('a read-only folder', memory);
    expect(await stateOf(exporter)).toEqual(['down', expect.stringMatching(MAKE_WRITABLE)]);
    addOne(memory);
    expect(existsSync(`${memory.path}-wal`)).toBe(false);
    expect(await stateOf(exporter)).toEqual(['up', 7]);
  });
});
