import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { countResults } from '../../lib/queue/results.ts';
import { swarm } from '../support/command-line.ts';
import { makeScene, type SwarmScene } from '../support/swarm-scene.ts';

const ORIGIN = '5f0f7a2e-0c7e-4a6d-9a57-3c1f3d0f3b11';
const BATCH = '0d6c1f4b-6f0e-4b0c-8a55-6f1b6f3f9a01';
const HEADER = { swarm: 'ship', version: 1, origin: ORIGIN, machine: 'laptop' };
const ROW = { id: 'a', timestamp: '2026-01-01T10:00:00Z', event_type: 'fix' };

const lines = (...messages: readonly unknown[]): string =>
  messages.map((message) => `${typeof message === 'string' ? message : JSON.stringify(message)}\n`).join('');
const event = (row: object) => ({ batch: BATCH, rows: [{ table: 'swarm_events', row: { ...ROW, ...row } }] });
const receive = ({ folder, env }: SwarmScene, input: string | Buffer, ...options: readonly string[]) =>
  swarm(['receive', ...options], { cwd: folder, env, input });

test('a batch of each table is answered once it is in the memory, and told again it is known', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const batch = {
    batch: BATCH,
    rows: [
      { table: 'error_patterns', row: { pattern_name: 'p', pattern_type: 't', first_seen: 'x', last_seen: 'x' } },
      { table: 'lessons_learned', row: { id: 'L', timestamp: 'x', trigger: "'; DROP TABLE swarm_events; --" } },
      { table: 'swarm_events', row: { ...ROW, notes: '\u0000\u001b[2J \ud800' } },
      { table: 'task_usage', row: { task_id: 'T', attempt: 1, model: 'm', ended_at: 'x' } },
    ],
  };
  const { code, stdout, stderr } = await receive(scene, lines(HEADER, batch, batch));
  expect([code, stderr]).toEqual([0, '']);
  const [hello, ...acks] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(hello).toMatchObject({
    swarm: 'receive',
    version: 1,
    tables: { task_usage: expect.arrayContaining(['model']) },
  });
  expect(acks).toEqual([
    { batch: BATCH, new: 4, known: 0, state: 'recorded', refused: 0 },
    { batch: BATCH, new: 0, known: 4, state: 'recorded', refused: 0 },
  ]);
  expect(scene.rows('SELECT id FROM swarm_events')).toEqual([{ id: 'a' }]);
});

test('a row that breaks a rule of the memory is answered as refused', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const refuse =
    "CREATE TRIGGER no BEFORE INSERT ON swarm_events WHEN new.id = 'b' BEGIN SELECT raise(ABORT, 'no'); END";
  const db = new Database(scene.memoryPath);
  db.exec(refuse);
  db.close();
  const rows = ['a', 'b'].map((id) => ({ table: 'swarm_events', row: { ...ROW, id } }));
  const { stdout } = await receive(scene, lines(HEADER, { batch: BATCH, rows }));
  expect(JSON.parse(stdout.trim().split('\n')[1])).toMatchObject({ new: 1, known: 0, refused: 1, state: 'recorded' });
});

const HOSTILE: readonly (readonly [what: string, input: string | Buffer, reason: RegExp])[] = [
  ['nothing at all', '', /^Nothing was sent/],
  ['no JSON', 'GET / HTTP/1.1\n', /^Could not accept the first line: it is not JSON/],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x0a]), /it is not JSON/],
  ['another first line', lines({ swarm: 'ship' }), /^Could not accept the first line: version: /],
  [
    'another version',
    lines({ ...HEADER, version: 2 }),
    /^Could not accept the first line: version: .*same version of swarm/,
  ],
  ['an origin that is a path', lines({ ...HEADER, origin: '../../x' }), /origin: /],
  ['a name that is too long', lines({ ...HEADER, machine: 'x'.repeat(300) }), /machine: /],
  ['no JSON after the first line', lines(HEADER, '{"batch":'), /^Could not accept batch 1: it is not JSON/],
  ['a list nested 100,000 deep', lines(HEADER, '['.repeat(100_000) + ']'.repeat(100_000)), /^Could not accept batch 1/],
  ['another table', lines(HEADER, { batch: BATCH, rows: [{ table: 'sqlite_master', row: {} }] }), /rows\.0\.table: /],
  ['a foreign column', lines(HEADER, event({ 'id" = 1; --': 'x' })), /rows\.0\.row: Unrecognized key/],
  ['a column of another table', lines(HEADER, event({ pattern_name: 'x' })), /Unrecognized key: "pattern_name"/],
  ['a prototype', lines(HEADER, `{"batch":"${BATCH}","rows":[],"__proto__":{"a":1}}`), /Unrecognized key/],
  ['an object in a cell', lines(HEADER, event({ notes: { a: 1 } })), /rows\.0\.row\.notes: /],
  ['a truth value in a cell', lines(HEADER, event({ success: true })), /rows\.0\.row\.success: /],
  ['a number as id', lines(HEADER, event({ id: 1 })), /rows\.0\.row\.id: /],
  ['an empty id', lines(HEADER, event({ id: '' })), /rows\.0\.row\.id: /],
  ['no timestamp', lines(HEADER, event({ timestamp: null })), /rows\.0\.row\.timestamp: /],
  ['too much text', lines(HEADER, event({ notes: 'x'.repeat(1_000_001) })), /rows\.0\.row\.notes: /],
  ['too many rows', lines(HEADER, { batch: BATCH, rows: Array(501).fill(event({}).rows[0]) }), /rows: /],
  [
    'a line without an end',
    `${lines(HEADER)}${'x'.repeat(5_000_000)}`,
    /^Could not accept a line of more than 4194304 bytes/,
  ],
];

test('what is no shipment is refused in one line, and nothing of it is handed to the recorder', async () => {
  const scene = await makeScene();
  for (const [what, input, reason] of HOSTILE) {
    const { code, stderr } = await receive(scene, input);
    expect([what, code, stderr]).toEqual([what, 1, expect.stringMatching(reason)]);
    expect(stderr.length).toBeLessThan(1_000);
    expect(stderr.trimEnd()).not.toMatch(/\p{Cc}/u);
  }
  expect(await countResults(scene.redis.client)).toEqual({ waiting: 0, refused: 0 });
});

test('without Redis or memory it says so before anything is sent', async () => {
  const scene = await makeScene();
  const withoutMemory = await receive({ ...scene, env: { ...scene.env, SWARM_DB_PATH: '/nowhere.db' } }, lines(HEADER));
  expect([withoutMemory.code, withoutMemory.stdout]).toEqual([1, '']);
  const longWait = await receive(scene, lines(HEADER), '--wait', '1h');
  expect([longWait.code, longWait.stdout]).toEqual([2, '']);
  await scene.redis.kill();
  const withoutRedis = await receive(scene, lines(HEADER));
  expect([withoutRedis.code, withoutRedis.stdout]).toEqual([3, '']);
});
