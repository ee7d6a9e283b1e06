import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { giveUpRecorderLease, takeRecorderLease } from '../../lib/queue/recorder-lease.ts';
import { createLead } from '../../scheduler/lead.ts';
import { type BackupScene, countEvents, makeBackupScene, readRows, sha256Of } from '../support/backup-scene.ts';
import { taskRow } from '../support/memory-builder.ts';
import { IS_ROOT } from '../support/programs.ts';
import { startRedis } from '../support/running-redis.ts';
import { startWriter } from '../support/writer-process.ts';

const ADD_ONE = `INSERT INTO swarm_events (id, timestamp, event_type) VALUES (hex(randomblob(8)), '', 'task_success')`;

/** A scene with a backup of its two events, after which a third was written. */
async function backedUp(): Promise<{ readonly scene: BackupScene; readonly file: string }> {
  const scene = makeBackupScene();
  const [{ file }] = await scene.backup();
  scene.memory.events(taskRow(Date.now()));
  return { scene, file };
}

const beside = ({ memory }: BackupScene): readonly string[] => readdirSync(dirname(memory.path)).toSorted();

describe('swarm restore', () => {
  test('makes a database of a backup, and says what is in it', async () => {
    const { scene, file } = await backedUp();
    const to = join(scene.folder, 'new folder', 'restored.db');
    const { code, stdout } = await scene.swarm(['restore', file, '--to', to, '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        file,
        to,
        rows: { swarm_events: 2, lessons_learned: 1, error_patterns: 0 },
        safetyCopy: null,
        isChecksumKnown: true,
      },
    ]);
    expect(readdirSync(dirname(to))).toEqual(['restored.db']);
    expect(countEvents(to)).toBe(2);
  });

  test('without --force leaves a database where it is', async () => {
    const { scene, file } = await backedUp();
    const before = sha256Of(scene.memory.path);
    const { code, stderr } = await scene.swarm(['restore', file, '--to', scene.memory.path]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/a database is there.*--force/)]);
    expect([sha256Of(scene.memory.path), beside(scene)]).toEqual([before, ['swarm_memory.db']]);
  });

  test('with --force keeps what was there under another name, in WAL mode as before', async () => {
    const { scene, file } = await backedUp();
    const { code, stdout } = await scene.swarm(['restore', file, '--to', scene.memory.path, '--force', '--json']);
    const { safetyCopy } = JSON.parse(stdout) as { safetyCopy: string };
    expect([code, countEvents(scene.memory.path), countEvents(safetyCopy)]).toEqual([0, 2, 3]);
    expect(readRows(scene.memory.path, 'PRAGMA journal_mode')).toEqual([['wal']]);
  });

  test('the safety copy has what only the -wal held, and no -wal of the old is left for the new', async () => {
    const { scene, file } = await backedUp();
    await (await startWriter(scene.memory.path, ADD_ONE))();
    expect(beside(scene)).toContain('swarm_memory.db-wal');
    const { stdout } = await scene.swarm(['restore', file, '--to', scene.memory.path, '--force', '--json']);
    const { safetyCopy } = JSON.parse(stdout) as { safetyCopy: string };
    expect(new Set(beside(scene))).toEqual(new Set([basename(safetyCopy), 'swarm_memory.db']));
    expect([countEvents(scene.memory.path), countEvents(safetyCopy)]).toEqual([2, 4]);
  });

  test('a hook that comes afterwards writes into the restored memory', async () => {
    const { scene, file } = await backedUp();
    await scene.swarm(['restore', file, '--to', scene.memory.path, '--force']);
    scene.memory.events(taskRow(Date.now()));
    expect(countEvents(scene.memory.path)).toBe(3);
  });

  test('keeps a damaged memory with all that lies beside it', async () => {
    const { scene, file } = await backedUp();
    writeFileSync(scene.memory.path, 'x'.repeat(10_000));
    writeFileSync(`${scene.memory.path}-wal`, 'y');
    const { code, stdout } = await scene.swarm(['restore', file, '--to', scene.memory.path, '--force', '--json']);
    const { safetyCopy } = JSON.parse(stdout) as { safetyCopy: string };
    expect([code, countEvents(scene.memory.path)]).toEqual([0, 2]);
    expect([readFileSync(safetyCopy, 'utf8'), readFileSync(`${safetyCopy}-wal`, 'utf8')]).toEqual([
      'x'.repeat(10_000),
      'y',
    ]);
  });

  test('a -wal without its database is no free place', async () => {
    const { scene, file } = await backedUp();
    const to = join(scene.folder, 'gone.db');
    writeFileSync(`${to}-wal`, 'y');
    expect((await scene.swarm(['restore', file, '--to', to])).code).toBe(2);
    expect((await scene.swarm(['restore', file, '--to', to, '--force'])).code).toBe(0);
    expect([countEvents(to), existsSync(`${to}-wal`)]).toEqual([2, false]);
  });

  test('replaces nothing that another program has open', async () => {
    const { scene, file } = await backedUp();
    await startWriter(scene.memory.path, ADD_ONE);
    const { code, stderr } = await scene.swarm(['restore', file, '--to', scene.memory.path, '--force']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/another program has it open\. Find it with lsof/)]);
    expect(beside(scene)).toEqual(['swarm_memory.db', 'swarm_memory.db-shm', 'swarm_memory.db-wal']);
    expect(countEvents(scene.memory.path)).toBe(4);
  });

  test.skipIf(!IS_ROOT)('the restored memory belongs to whom the old one did (skipped unless root)', async () => {
    const { scene, file } = await backedUp();
    const { chownSync, chmodSync } = await import('node:fs');
    chownSync(scene.memory.path, 1234, 2345);
    chmodSync(scene.memory.path, 0o664);
    await scene.swarm(['restore', file, '--to', scene.memory.path, '--force']);
    const { uid, gid, mode } = statSync(scene.memory.path);
    expect([uid, gid, mode & 0o777]).toEqual([1234, 2345, 0o664]);
  });

  test('brings monitor.db and the settings back as well', async () => {
    const scene = makeBackupScene();
    const [, monitor] = await scene.backup();
    rmSync(scene.monitorDbPath);
    expect((await scene.swarm(['restore', monitor.file, '--to', scene.monitorDbPath])).code).toBe(0);
    const settings = scene.files().find((name) => name.startsWith('settings-')) ?? '';
    const to = join(scene.folder, 'settings.json');
    expect((await scene.swarm(['restore', join(scene.backupDir, settings), '--to', to])).code).toBe(0);
    expect(JSON.parse(readFileSync(to, 'utf8'))).toMatchObject({ settings: { SWARM_DB_PATH: scene.memory.path } });
  });
});

describe('swarm restore of what cannot be trusted', () => {
  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['changed in the middle', (bytes) => Buffer.from(bytes.fill(7, 100, 200))],
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 100)],
    ['empty', () => Buffer.alloc(0)],
  ])('changes nothing: %s', async (_, spoil) => {
    const { scene, file } = await backedUp();
    writeFileSync(file, spoil(readFileSync(file)));
    const { code, stderr } = await scene.swarm(['restore', file, '--to', scene.memory.path, '--force']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/its checksum is not the one it had when it was made/)]);
    expect([countEvents(scene.memory.path), beside(scene)]).toEqual([3, ['swarm_memory.db']]);
  });

  test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 100), /it is damaged, cut short, or no backup/],
    ['something else', () => Buffer.from('hello'), /it is damaged, cut short, or no backup/],
  ])('also where nobody knows its checksum: %s', async (_, spoil, message) => {
    const { scene, file } = await backedUp();
    const elsewhere = join(scene.folder, 'elsewhere.db.gz');
    writeFileSync(elsewhere, spoil(readFileSync(file)));
    const { code, stderr } = await scene.swarm(['restore', elsewhere, '--to', scene.memory.path, '--force']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect([countEvents(scene.memory.path), beside(scene)]).toEqual([3, ['swarm_memory.db']]);
  });

  test('knows the checksum by the file beside it when monitor.db is lost', async () => {
    const { scene, file } = await backedUp();
    rmSync(dirname(scene.monitorDbPath), { recursive: true });
    const to = join(scene.folder, 'restored.db');
    const { stdout } = await scene.swarm(['restore', file, '--to', to, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ isChecksumKnown: true });
    copyFileSync(scene.memory.path, file);
    expect((await scene.swarm(['restore', file, '--to', `${to}-2`])).stderr).toMatch(/its checksum is not the one/);
  });

  test('says that there is no such file', async () => {
    const { scene } = await backedUp();
    const { code, stderr } = await scene.swarm(['restore', 'nowhere.db.gz', '--to', join(scene.folder, 'x.db')]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/Could not read the backup ".*nowhere\.db\.gz": there is no such file/),
    ]);
  });
});

describe('swarm restore over what runs', () => {
  test('takes the lease that a recorder gives up when it renews it', async () => {
    const { scene, file } = await backedUp();
    const { client, url } = await startRedis(join(scene.folder, 'redis'));
    await takeRecorderLease(client, 'recorder');
    const asked: boolean[] = [];
    const renewals = setInterval(() => {
      void takeRecorderLease(client, 'recorder').then((isHeld) => asked.push(isHeld));
    }, 200);
    const { code } = await scene.swarm(['restore', file, '--to', scene.memory.path, '--force'], { REDIS_URL: url });
    clearInterval(renewals);
    expect([code, countEvents(scene.memory.path)]).toEqual([0, 2]);
    expect(asked).toContain(false);
    expect(await takeRecorderLease(client, 'recorder')).toBe(true);
    await giveUpRecorderLease(client, 'recorder');
  });

  test('changes nothing if somebody keeps the lease, and says what to stop', async () => {
    const { scene, file } = await backedUp();
    const { client, url } = await startRedis(join(scene.folder, 'redis'));
    await client.set('swarm:recorder-lease', 'somebody of another version');
    const { code, stderr } = await scene.swarm(['restore', file, '--to', scene.memory.path, '--force'], {
      REDIS_URL: url,
    });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/a recorder holds its lease.*Stop the orchestrator/)]);
    expect([countEvents(scene.memory.path), beside(scene)]).toEqual([3, ['swarm_memory.db']]);
    expect(await client.exists('swarm:recorder-lease-wanted')).toBe(0);
  });

  test('does nothing where the Redis of the settings does not answer', async () => {
    const { scene, file } = await backedUp();
    const env = { REDIS_URL: 'redis://127.0.0.1:1' };
    const { code, stderr } = await scene.swarm(['restore', file, '--to', scene.memory.path, '--force'], env);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/Could not reach Redis .*stop every orchestrator/)]);
    expect(countEvents(scene.memory.path)).toBe(3);
  });

  test('replaces no monitor.db that a scheduler works with', async () => {
    const scene = makeBackupScene();
    const [, { file }] = await scene.backup();
    mkdirSync(dirname(scene.monitorDbPath), { recursive: true });
    const lead = createLead(scene.monitorDbPath);
    expect(lead.take()).toBe(true);
    const { code, stderr } = await scene.swarm(['restore', file, '--to', scene.monitorDbPath, '--force']);
    lead.giveUp();
    expect([code, stderr]).toEqual([1, expect.stringMatching(/the scheduler works with it\. Stop the scheduler/)]);
  });
});
