import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeBigMemory } from '../../bench/big-memory.ts';
import { type BackupScene, countEvents, makeBackupScene, readRows, sha256Of } from '../support/backup-scene.ts';
import { findProgram, IS_ROOT } from '../support/programs.ts';
import { withReadOnlyMount } from '../support/read-only-mount.ts';
import { startWriter } from '../support/writer-process.ts';

const ADD_ONE = `INSERT INTO swarm_events (id, timestamp, event_type) VALUES (hex(randomblob(8)), '', 'task_success')`;
const NAME = /^(swarm_memory|monitor)-\d{8}T\d{6}Z\.db\.gz$/;
const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const MANY_ROWS = 60_000;

/** Writes what a backup holds to a file of its own. */
function unpacked({ folder }: BackupScene, file: string): string {
  const path = join(folder, 'unpacked.db');
  writeFileSync(path, gunzipSync(readFileSync(file)));
  return path;
}

/** A memory of 80 MB in the place of the small one. */
function makeLarge({ memory }: BackupScene): void {
  rmSync(memory.path);
  makeBigMemory({ path: memory.path, rows: MANY_ROWS, days: 30 });
}

const half = (files: readonly string[]): readonly string[] => files.filter((name) => name.endsWith('.tmp'));
const whole = (files: readonly string[]): readonly string[] => files.filter((name) => name.endsWith('.gz'));

describe('swarm backup', () => {
  test('makes a whole, private file of each database and says what it is', async () => {
    const scene = makeBackupScene();
    const [memory, monitor] = await scene.backup();
    expect([memory.source, monitor.source]).toEqual([scene.memory.path, scene.monitorDbPath]);
    for (const { file, bytes, sha256 } of [memory, monitor]) {
      expect(basename(file)).toMatch(NAME);
      expect([dirname(file), bytes, sha256]).toEqual([scene.backupDir, statSync(file).size, sha256Of(file)]);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    expect(countEvents(unpacked(scene, memory.file))).toBe(2);
    expect(scene.catalogue()).toEqual(
      scene
        .files()
        .filter((name) => name.endsWith('.gz'))
        .map((name) => join(scene.backupDir, name)),
    );
    expect(
      JSON.parse(String(readRows(scene.monitorDbPath, "SELECT row_counts FROM backups WHERE source = 'memory'")[0][0])),
    ).toEqual({
      swarm_events: 2,
      lessons_learned: 1,
      error_patterns: 0,
    });
  });

  test('leaves nothing beside a memory at rest, and the memory as it was', async () => {
    const scene = makeBackupScene();
    const before = sha256Of(scene.memory.path);
    await scene.backup();
    expect(readdirSync(dirname(scene.memory.path))).toEqual(['swarm_memory.db']);
    expect(sha256Of(scene.memory.path)).toBe(before);
  });

  test('has the rows that only the -wal holds, while a writer goes on', async () => {
    const scene = makeBackupScene();
    await startWriter(scene.memory.path, ADD_ONE, 2);
    const least = countEvents(scene.memory.path) as number;
    expect(least).toBeGreaterThan(2);
    const [{ file }] = await scene.backup();
    expect(countEvents(unpacked(scene, file))).toBeGreaterThanOrEqual(least);
  });

  test('copies a large memory to its end while rows come in without a pause', async () => {
    const scene = makeBackupScene();
    makeLarge(scene);
    await startWriter(scene.memory.path, ADD_ONE, 1);
    const [{ file }] = await scene.backup();
    expect(countEvents(unpacked(scene, file))).toBeGreaterThan(MANY_ROWS);
  });

  test('reads a memory that is not in WAL mode while somebody writes to it', async () => {
    const scene = makeBackupScene();
    scene.memory.write((db) => db.pragma('journal_mode = DELETE'));
    await startWriter(scene.memory.path, ADD_ONE, 50);
    const [{ file }] = await scene.backup();
    expect(countEvents(unpacked(scene, file))).toBeGreaterThan(2);
  });

  test('takes projects, timetable and settings along, without a secret', async () => {
    const scene = makeBackupScene();
    const [projects, timetable] = [join(scene.folder, 'p.json'), join(scene.folder, 't.json')];
    writeFileSync(projects, '{"projects": []}');
    writeFileSync(timetable, '{"backup": "off"}');
    await scene.backup({
      PROJECTS_FILE: projects,
      TIMETABLE_FILE: timetable,
      REDIS_URL: 'redis://somebody:hush-1@127.0.0.1:1',
      BACKUP_PASSPHRASE: 'hush-2',
      GITHUB_TOKEN: 'hush-3',
    });
    const name = scene.files().find((each) => each.startsWith('settings-')) ?? '';
    const text = gunzipSync(readFileSync(join(scene.backupDir, name))).toString('utf8');
    expect(JSON.parse(text)).toMatchObject({
      settings: { SWARM_DB_PATH: scene.memory.path, TIMETABLE_FILE: timetable },
      files: { [projects]: '{"projects": []}', [timetable]: '{"backup": "off"}' },
    });
    expect(text).not.toMatch(/hush/);
  });

  test('writes checksums that sha256sum can check', async () => {
    const scene = makeBackupScene();
    await scene.backup();
    const said = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: scene.backupDir, encoding: 'utf8' });
    expect(said.match(/: OK$/gm)).toHaveLength(3);
  });

  test('does two at once one after the other, and keeps both', async () => {
    const scene = makeBackupScene();
    const [one, other] = await Promise.all([scene.backup(), scene.backup()]);
    const files = [...one, ...other].map(({ file }) => file);
    expect(new Set(files).size).toBe(4);
    expect(scene.catalogue()).toEqual(expect.arrayContaining(files));
    for (const { file, sha256 } of [...one, ...other]) expect(sha256Of(file)).toBe(sha256);
    expect(half(scene.files())).toEqual([]);
  });

  test('removes what is not kept any longer, and its copy at the second place', async () => {
    const scene = makeBackupScene();
    const env = { BACKUP_SECOND_DIR: join(scene.folder, 'second'), BACKUP_PASSPHRASE: 'a passphrase' };
    const [{ file }] = await scene.backup(env);
    // As if it were 40 newer ones later, and not the first of its week.
    const insert = `INSERT INTO backups SELECT replace(file, '.db.gz', '-' || value || '.db.gz'), source, source_path, source_signature,
      strftime('%Y-%m-%dT%H:%M:%fZ', made_at, (value * 6) || ' hours'), bytes, sha256, unpacked_bytes, row_counts, NULL
      FROM backups, json_each('${JSON.stringify(Array.from({ length: 40 }, (_, index) => index + 1))}') WHERE source = 'memory'`;
    const db = new Database(scene.monitorDbPath);
    db.prepare("UPDATE backups SET made_at = '2026-01-06T00:00:00.000Z'").run();
    db.exec(insert);
    db.prepare(
      "INSERT INTO backups SELECT file || 'x', source, source_path, '', '2026-01-05T00:00:00.000Z', 0, '', 0, NULL, NULL FROM backups WHERE file = ?",
    ).run(file);
    const names = db.prepare('SELECT file FROM backups WHERE file <> ?').pluck().all(file) as string[];
    db.close();
    for (const name of names) if (!existsSync(name)) writeFileSync(name, '');
    await scene.backup(env);
    expect([existsSync(file), existsSync(join(env.BACKUP_SECOND_DIR, `${basename(file)}.enc`))]).toEqual([
      false,
      false,
    ]);
    expect(scene.catalogue()).not.toContain(file);
    expect(scene.catalogue()).toContain(`${file}x`);
  });

  test('takes a whole backup into its catalogue that a lost monitor.db had known', async () => {
    const scene = makeBackupScene();
    const [{ file }] = await scene.backup();
    rmSync(dirname(scene.monitorDbPath), { recursive: true });
    await scene.backup();
    expect(scene.catalogue()).toContain(file);
  });
});

describe('swarm backup that cannot', () => {
  test('backs up the rest when the memory is not there, and fails', async () => {
    const scene = makeBackupScene();
    rmSync(scene.memory.path);
    const { code, stdout, stderr } = await scene.swarm(['backup', '--json']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`Could not find the swarm memory "${scene.memory.path}"`),
    ]);
    expect((JSON.parse(stdout) as { source: string }[]).map(({ source }) => source)).toEqual([scene.monitorDbPath]);
  });

  test.each([
    [
      'overwritten in the middle',
      ({ path }: BackupScene['memory']) => writeFileSync(path, readFileSync(path).fill(7, 8_000, 20_000)),
    ],
    ['cut short', ({ path }: BackupScene['memory']) => truncateSync(path, 20_000)],
    ['no database', ({ path }: BackupScene['memory']) => writeFileSync(path, 'x'.repeat(20_000))],
  ])('keeps no copy of a memory that is damaged: %s', async (_, damage) => {
    const scene = makeBackupScene();
    await scene.backup();
    const before = scene.files().filter((name) => name.startsWith('swarm_memory'));
    damage(scene.memory);
    const { code, stderr } = await scene.swarm(['backup']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/damaged|not an SQLite database|restore the last good backup/i),
    ]);
    expect(scene.files().filter((name) => name.startsWith('swarm_memory'))).toEqual(before);
    expect(half(scene.files())).toEqual([]);
  });

  test.skipIf(!IS_ROOT)(
    'refuses a disk with too little room, and leaves nothing there (skipped unless root, who may mount)',
    async () => {
      const scene = makeBackupScene();
      makeLarge(scene);
      mkdirSync(scene.backupDir);
      execFileSync(findProgram('mount'), ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', scene.backupDir]);
      onTestFinished(() => void execFileSync('umount', [scene.backupDir]));
      const { code, stderr } = await scene.swarm(['backup']);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(
          /Could not write to ".*backups": [\d.]+ MB are needed, [\d.]+ MB are free\. Free some space/,
        ),
      ]);
      expect(half(scene.files())).toEqual([]);
      expect(whole(scene.files()).filter((name) => name.startsWith('swarm_memory'))).toEqual([]);
    },
  );

  test('leaves no half file where the disk is full in the middle', async () => {
    const scene = makeBackupScene();
    makeLarge(scene);
    // No file may become larger than 20 MB.
    const main = ['-c', 'ulimit -f 40000; exec "$@"', 'sh', process.execPath, MAIN, 'backup'];
    let said = '';
    try {
      execFileSync('sh', main, { env: { PATH: process.env.PATH, ...scene.env }, stdio: 'pipe', cwd: scene.folder });
    } catch (error) {
      said = String((error as { stderr: Buffer }).stderr);
    }
    expect(said).toMatch(/Could not write a copy to ".*backups": .* Its disk is full or fails/);
    expect(half(scene.files())).toEqual([]);
    expect(whole(scene.files()).filter((name) => name.startsWith('swarm_memory'))).toEqual([]);
  });

  test.each([
    ['while it copies', 1],
    ['while it compresses', 2],
  ])('killed %s it leaves no half file in the catalogue, and the next one clears away', async (_, temporary) => {
    const scene = makeBackupScene();
    makeLarge(scene);
    const { child, ended } = scene.start(['backup']);
    await vi.waitFor(() => expect(half(scene.files()).length).toBeGreaterThanOrEqual(temporary), {
      timeout: 30_000,
      interval: 1,
    });
    child.kill('SIGKILL');
    await ended;
    expect([scene.catalogue(), whole(scene.files())]).toEqual([[], []]);
    expect(half(scene.files()).length).toBeGreaterThan(0);
    const [{ file }] = await scene.backup();
    expect(half(scene.files())).toEqual([]);
    expect(countEvents(unpacked(scene, file))).toBe(MANY_ROWS);
  });
});

describe.skipIf(!IS_ROOT)('behind a read-only mount (skipped unless run as root, who alone may mount)', () => {
  const backUpBehind = (scene: BackupScene) => {
    const mountPoint = join(scene.folder, 'mounted');
    const command = withReadOnlyMount(dirname(scene.memory.path), mountPoint);
    const env = { ...scene.env, PATH: process.env.PATH, SWARM_DB_PATH: join(mountPoint, 'swarm_memory.db') };
    const [program, ...args] = [...command, process.execPath, MAIN, 'backup', '--json'];
    return spawnSync(program, args, { env, cwd: scene.folder, encoding: 'utf8' });
  };
  const killedWriter = async ({ path }: BackupScene['memory']): Promise<void> => (await startWriter(path, ADD_ONE))();

  test.each<[string, (memory: BackupScene['memory']) => unknown, number]>([
    ['at rest', () => undefined, 2],
    ['with a live writer', ({ path }) => startWriter(path, ADD_ONE), 3],
    ['whose writer was killed', killedWriter, 3],
  ])('a memory %s is backed up', async (_, prepare, events) => {
    const scene = makeBackupScene();
    await prepare(scene.memory);
    const { status, stdout } = backUpBehind(scene);
    const [{ file }] = JSON.parse(stdout) as { file: string }[];
    expect([status, countEvents(unpacked(scene, file))]).toEqual([0, events]);
  });

  test('a -wal that nobody can read there is told, rather than left out', async () => {
    const scene = makeBackupScene();
    await killedWriter(scene.memory);
    rmSync(`${scene.memory.path}-shm`);
    const { status, stderr } = backUpBehind(scene);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/its -wal holds changes, but its -shm is missing/)]);
  });
});

test('doctor tells by the catalogue how old the last ones are, and what to do if they are too old', async () => {
  const scene = makeBackupScene();
  const line = async () => /.* last backup: .*/.exec((await scene.swarm(['doctor'])).stdout)?.[0];
  expect(await line()).toMatch(
    /^warning {2}last backup: memory never, monitor never, by the catalogue in .* → Run: swarm backup/,
  );
  await scene.backup();
  expect(await line()).toMatch(
    /^ok {7}last backup: memory 0 h ago, monitor 0 h ago, by the catalogue in .*monitor\.db$/,
  );
});

describe('the second place', () => {
  const PASSPHRASE = { BACKUP_PASSPHRASE: 'a passphrase of a test' };

  test('gets encrypted copies, which can be restored with the passphrase', async () => {
    const scene = makeBackupScene();
    const second = join(scene.folder, 'second');
    const backups = await scene.backup({ BACKUP_SECOND_DIR: second, ...PASSPHRASE });
    const names = readdirSync(second).toSorted();
    expect(names).toEqual(whole(scene.files()).map((name) => `${name}.enc`));
    expect(names).toHaveLength(backups.length + 1);
    const [memory] = backups;
    const sealed = join(second, `${basename(memory.file)}.enc`);
    const to = join(scene.folder, 'from-second.db');
    expect((await scene.swarm(['restore', sealed, '--to', to], PASSPHRASE)).code).toBe(0);
    expect(countEvents(to)).toBe(2);
    const without = await scene.swarm(['restore', sealed, '--to', join(scene.folder, 'other.db')]);
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('BACKUP_PASSPHRASE')]);
  });

  test('gets nothing without a passphrase, and doctor says so', async () => {
    const scene = makeBackupScene();
    const second = join(scene.folder, 'second');
    const { code, stdout } = await scene.swarm(['backup'], { BACKUP_SECOND_DIR: second });
    expect([code, existsSync(second), stdout]).toEqual([
      0,
      false,
      expect.stringContaining('BACKUP_PASSPHRASE is not set'),
    ]);
    const json = await scene.swarm(['backup', '--json'], { BACKUP_SECOND_DIR: second });
    expect([json.code, JSON.parse(json.stdout).length]).toEqual([0, 2]);
    expect(json.stderr).toBe('nothing is sent to the second place: BACKUP_PASSPHRASE is not set\n');
    const doctor = await scene.swarm(['doctor'], { BACKUP_SECOND_DIR: second });
    expect(doctor.stdout).toMatch(/warning {2}second place of backups: nothing is sent .*BACKUP_PASSPHRASE is not set/);
  });

  test('a command is given the encrypted file, and none of our secrets', async () => {
    const scene = makeBackupScene();
    const taken = join(scene.folder, 'taken');
    mkdirSync(taken);
    const command = `sh -c 'cp "$1" ${taken}/ && env > ${taken}/env' sh`;
    await scene.backup({ BACKUP_SECOND_COMMAND: command, GITHUB_TOKEN: 'hush', ...PASSPHRASE });
    expect(readdirSync(taken).filter((name) => name.endsWith('.gz.enc'))).toHaveLength(3);
    expect(readFileSync(join(taken, 'env'), 'utf8')).not.toMatch(/hush|a passphrase/);
    expect(half(scene.files())).toEqual([]);
  });

  test('one that fails is told with its words; the backup itself is there', async () => {
    const scene = makeBackupScene();
    const { code, stdout, stderr } = await scene.swarm(['backup', '--json'], {
      BACKUP_SECOND_COMMAND: "sh -c 'echo no route to host; exit 7' sh",
      ...PASSPHRASE,
    });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/to the second place: the command ended with 7 \(no route to host\)/),
    ]);
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect(readRows(scene.monitorDbPath, 'SELECT count(*) FROM backups WHERE sent_at IS NOT NULL')[0]).toEqual([0]);
  });
});
