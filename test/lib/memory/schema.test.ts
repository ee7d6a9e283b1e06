import { expect, test } from 'vitest';
import { MemoryError } from '../../../lib/memory/memory-error.ts';
import { type MemorySchema, probeSchema, type SchemaState } from '../../../lib/memory/schema.ts';
import { USAGE_TABLE } from '../../../lib/memory/tables.ts';
import { type MemoryState, makeMemory } from '../../support/memory-builder.ts';

/** The schema of a memory in a state, after somebody changed it. */
const schemaOf = (state: MemoryState, sql = ''): MemorySchema =>
  makeMemory({ state }).write((db) => {
    db.exec(sql);
    return probeSchema(db);
  });
const sizes = ({ events, lessons, patterns }: MemorySchema): number[] => [events.size, lessons.size, patterns.size];

test.each([
  ['A', [18, 10, 0]],
  ['B', [18, 19, 14]],
  ['C', [18, 25, 14]],
  ['D', [18, 25, 14]],
  ['E', [18, 25, 14]],
  ['F', [9, 0, 0]],
  ['G', [9, 25, 14]],
] as const)('state %s is told by its tables and columns', (state, expected) => {
  const schema = schemaOf(state);
  expect([schema.state, ...sizes(schema)]).toEqual([state, ...expected]);
});

test.each<[string, MemoryState, string, SchemaState]>([
  ['no lessons', 'C', 'DROP TABLE lessons_learned', 'other'],
  ['no patterns', 'C', 'DROP TABLE error_patterns', 'other'],
  ['nine columns and only lessons', 'G', 'DROP TABLE error_patterns', 'other'],
  ['ten lesson columns and patterns', 'A', 'CREATE TABLE error_patterns (id INTEGER)', 'other'],
  [
    'a view in the place of the lessons',
    'C',
    'DROP TABLE lessons_learned; CREATE VIEW lessons_learned AS SELECT 1 AS severity',
    'other',
  ],
  ['an empty version table', 'C', 'CREATE TABLE schema_version (version)', 'E'],
  ['a user version', 'C', 'PRAGMA user_version = 7', 'C'],
  ['a table of usage', 'C', USAGE_TABLE, 'C'],
  ['a table of somebody else', 'B', 'CREATE TABLE notes (a)', 'B'],
])('%s: state %s changed by "%s" is %s', (_, state, sql, expected) => {
  expect(schemaOf(state, sql).state).toBe(expected);
});

test('usage is known by its columns', () => {
  expect(schemaOf('C').usage.size).toBe(0);
  expect(schemaOf('C', USAGE_TABLE).usage.has('cost_usd')).toBe(true);
});

test('column names are compared in lower case', () => {
  const schema = schemaOf(
    'F',
    'DROP TABLE swarm_events; CREATE TABLE swarm_events (ID TEXT, Timestamp TEXT, EVENT_TYPE TEXT)',
  );
  expect([...schema.events]).toEqual(['id', 'timestamp', 'event_type']);
});

test.each([
  ['no table swarm_events', 'DROP TABLE swarm_events', 'it has no table swarm_events'],
  [
    'a view in its place',
    'DROP TABLE swarm_events; CREATE VIEW swarm_events AS SELECT 1 AS timestamp',
    'it has no table swarm_events',
  ],
  ['no column event_type', 'ALTER TABLE swarm_events DROP COLUMN event_type', 'has no column event_type'],
])('a file with %s is no swarm memory, and the message says so', (_, sql, expected) => {
  const error = (() => {
    try {
      return schemaOf('F', sql);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(MemoryError);
  expect((error as MemoryError).problem).toBe('not-a-swarm-memory');
  expect((error as MemoryError).message).toContain(expected);
});

test('the cookie changes with the schema and with VACUUM, not with rows', () => {
  const memory = makeMemory();
  const cookieAfter = (sql: string): number =>
    memory.write((db) => {
      db.exec(sql);
      return probeSchema(db).cookie;
    });
  const first = cookieAfter('');
  const afterRow = cookieAfter("INSERT INTO swarm_events (id, timestamp, event_type) VALUES ('a', 'b', 'c')");
  const afterIndex = cookieAfter('CREATE INDEX one_more ON swarm_events (event_type)');
  const afterVacuum = cookieAfter('VACUUM');
  expect([afterRow === first, afterIndex === first, afterVacuum === afterIndex]).toEqual([true, false, false]);
});
