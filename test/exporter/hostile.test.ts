import { describe, expect, test } from 'vitest';
import type { Row } from '../../lib/memory/demo/writer.ts';
import { MAX_LABEL_VALUES } from '../../lib/memory/label-names.ts';
import { expectValidExposition } from '../support/exposition-checks.ts';
import {
  lessonRow,
  makeMemory,
  patternRow,
  stopRow,
  type TestMemory,
  taskRow,
  usageRow,
} from '../support/memory-builder.ts';
import { type Samples, startExporter } from '../support/running-exporter.ts';

const AGO = Date.now() - 3_600_000;

/** The samples of a memory, which must be readable in full and valid in both forms. */
async function samplesOf(memory: TestMemory): Promise<Samples> {
  const exporter = await startExporter({ databasePath: memory.path });
  await expectValidExposition(exporter);
  expect(await exporter.readiness()).toBe('ready');
  const samples = await exporter.samples();
  const broken = [...samples].filter(([series, value]) => series.startsWith('swarm_collector_success') && value !== 1);
  expect(broken).toEqual([]);
  expect([...samples].filter(([, value]) => !Number.isFinite(value))).toEqual([]);
  expect((await exporter.get('/', 'text/html')).status).toBe(200);
  return samples;
}

/** The distinct values of a label among the series of a metric. */
const labelValues = (samples: Samples, metric: string, label: string): Set<string> =>
  new Set(
    [...samples.keys()].flatMap((series) =>
      series.startsWith(`${metric}{`)
        ? (new RegExp(`[{,]${label}="((?:[^"\\\\]|\\\\.)*)"`).exec(series)?.[1] ?? [])
        : [],
    ),
  );

describe('names from outside', () => {
  test.each([
    ['quotes', 'the "best" agent', 'the \\"best\\" agent'],
    ['backslashes', 'C:\\agents\\new', 'C:\\\\agents\\\\new'],
    ['line breaks', 'two\nlines\r\nhere', 'two lines here'],
    ['what looks like another sample', 'x"} 1\nswarm_up 0', 'x\\"} 1 swarm_up 0'],
    ['control characters', 'a\u0000b\u0007c\u0085d\u2028e', 'a b c d e'],
    ['emoji', '🐝 cervella 👩‍💻', '🐝 cervella 👩‍💻'],
    ['letters of many alphabets', 'Škoda Ω 漢字 עברית', 'Škoda Ω 漢字 עברית'],
    ['markup', '<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['ten kilobytes', 'long '.repeat(2_000), 'long '.repeat(20).trimEnd()],
    ['nothing but blanks', ' \t ', 'unknown'],
    ['the name of an object’s own', '__proto__', '__proto__'],
    ['a name that is a number', '7', '7'],
  ])('may hold %s', async (_, name, label) => {
    const memory = makeMemory({ hasUsage: true });
    memory.events(taskRow(AGO, { agent_name: name, project: name, duration_ms: 1_000, session_id: name }));
    memory.insert('task_usage', usageRow(AGO, name, { agent_name: name, model: name }));
    const samples = await samplesOf(memory);
    expect(samples.get(`swarm_agent_tasks{agent="${label}"}`)).toBe(1);
    expect(samples.get(`swarm_runs_total{agent="${label}",project="${label}",outcome="success"}`)).toBe(1);
    expect(samples.get(`swarm_task_duration_seconds_count{agent="${label}"}`)).toBe(1);
    expect(samples.get(`swarm_cost_usd_total{model="${label}",agent="${label}"}`)).toBe(0.5);
  });

  test('ten thousand of them make fifty label values, and no task is lost', async () => {
    const memory = makeMemory({ hasUsage: true });
    const names = Array.from({ length: 10_000 }, (_, index) => `agent ${index}`);
    memory.events(
      ...names.map((name) => taskRow(AGO, { agent_name: name, project: name, session_id: null, duration_ms: 1 })),
    );
    memory.insert(
      'task_usage',
      ...names.slice(0, 500).map((name) => usageRow(AGO, name, { agent_name: name, model: name })),
    );
    const samples = await samplesOf(memory);
    const sumOf = (metric: string): number =>
      [...samples].reduce((sum, [series, value]) => (series.startsWith(`${metric}{`) ? sum + value : sum), 0);
    const labels: [metric: string, label: string][] = [
      ['swarm_agent_tasks', 'agent'],
      ['swarm_runs_total', 'agent'],
      ['swarm_runs_total', 'project'],
      ['swarm_window_agent_tasks', 'agent'],
      ['swarm_task_duration_seconds_count', 'agent'],
      ['swarm_cost_usd_total', 'agent'],
      ['swarm_cost_usd_total', 'model'],
      ['swarm_tokens_total', 'model'],
    ];
    const sizes = labels.map(([metric, label]) => [metric, label, labelValues(samples, metric, label).size]);
    expect(sizes).toEqual(labels.map((each) => [...each, MAX_LABEL_VALUES]));
    expect(MAX_LABEL_VALUES).toBe(50);
    expect([sumOf('swarm_agent_tasks'), sumOf('swarm_runs_total'), sumOf('swarm_cost_usd_total')]).toEqual([
      10_000, 10_000, 250,
    ]);
  });
});

describe('values from outside', () => {
  const NULLS = {
    agent_name: null,
    session_id: null,
    task_status: null,
    success: null,
    project: null,
    created_at: null,
  };

  /** The row, and the tasks that succeeded, failed and never said. */
  test.each<[string, Row, outcomes: number[]]>([
    ['NULL everywhere', { ...NULLS, timestamp: '' }, [0, 0, 1]],
    ['a time in the year 0', { timestamp: '0000-01-01T00:00:00Z', created_at: '0000-01-01 00:00:00' }, [1, 0, 0]],
    ['a time in the year 9999', { timestamp: '9999-12-31T23:59:59Z', created_at: '9999-12-31 23:59:59' }, [1, 0, 0]],
    ['times that are no times', { timestamp: '2026-02-30T25:61:00Z', created_at: 'yesterday' }, [1, 0, 0]],
    ['a number as its time', { timestamp: 1_750_000_000, created_at: 1_750_000_000 }, [1, 0, 0]],
    ['text as its success', { success: 'yes' }, [0, 0, 1]],
    ['another number as its success', { success: 2 }, [0, 0, 1]],
    ['text as its duration', { duration_ms: 'long' }, [1, 0, 0]],
    ['a negative duration', { duration_ms: -5_000 }, [1, 0, 0]],
    ['a duration of centuries', { duration_ms: 9_000_000_000_000_000 }, [1, 0, 0]],
    ['a duration beyond all numbers', { duration_ms: Number.POSITIVE_INFINITY }, [1, 0, 0]],
    ['notes that are no JSON', { notes: '{"agent_id": "a' }, [1, 0, 0]],
    ['notes that are JSON of another kind', { notes: '[1, {"agent_id": {}}]' }, [1, 0, 0]],
    ['notes with an object as the agent id', { notes: '{"agent_id": {"a": [null]}}' }, [1, 0, 0]],
    ['notes nested too deep', { notes: `${'['.repeat(3_000)}${']'.repeat(3_000)}` }, [1, 0, 0]],
    ['tags that are no JSON', { tags: '["autonomous"' }, [1, 0, 0]],
    ['tags that are JSON of another kind', { tags: '[null, 1, {"a": []}]' }, [1, 0, 0]],
    ['a megabyte of error message', { success: 0, error_message: 'x 1 '.repeat(250_000) }, [0, 1, 0]],
    ['a type in capitals', { event_type: 'TASK_ERROR', success: null }, [0, 1, 0]],
    ['a rowid beyond all safe numbers', { rowid: 9_007_199_254_740_000 }, [1, 0, 0]],
    ['a negative rowid', { rowid: -5 }, [1, 0, 0]],
  ])('a row with %s is counted', async (_, row, outcomes) => {
    const memory = makeMemory();
    const { rowid = null, ...rest } = taskRow(AGO, row);
    memory.events(stopRow(AGO - 60_000, { session_id: 'other' }), rest);
    if (rowid !== null)
      memory.write((db) => db.prepare('UPDATE swarm_events SET rowid = ? WHERE rowid = 2').run(rowid));
    const samples = await samplesOf(memory);
    const found = ['success', 'failed', 'unknown'].map((outcome) => samples.get(`swarm_tasks_${outcome}_total`));
    expect(found).toEqual([outcomes[0], outcomes[1], outcomes[2] + 1]);
  });

  test.each(['FF00FE', '7B7D', '00', 'CC0F7B226167656E745F6964223A'])(
    'the bytes %s in place of a text cost no more than that value',
    async (bytes) => {
      const columns = [
        'notes',
        'tags',
        'agent_name',
        'error_message',
        'timestamp',
        'created_at',
        'project',
        'session_id',
      ];
      const memory = makeMemory();
      memory.events(...columns.map((column) => taskRow(AGO, { id: column, session_id: column })));
      memory.write((db) => {
        for (const column of columns) db.exec(`UPDATE swarm_events SET ${column} = x'${bytes}' WHERE id = '${column}'`);
      });
      expect((await samplesOf(memory)).get('swarm_tasks_success_total')).toBe(columns.length);
    },
  );

  test('usage that makes no sense adds nothing', async () => {
    const memory = makeMemory({ hasUsage: true });
    memory.insert(
      'task_usage',
      usageRow(AGO, 'good'),
      usageRow(AGO, 'negative', { cost_usd: -5, input_tokens: -1, output_tokens: 0 }),
      usageRow(AGO, 'text', { cost_usd: 'a lot', input_tokens: 'many', output_tokens: 'x' }),
      usageRow(AGO, 'infinite', { cost_usd: Number.POSITIVE_INFINITY, input_tokens: Number.NEGATIVE_INFINITY }),
      usageRow(AGO, 'nothing', { cost_usd: null, input_tokens: null, agent_name: null, ended_at: 'then' }),
    );
    const samples = await samplesOf(memory);
    expect(samples.get('swarm_window_cost_usd{window="24h"}')).toBe(0.5);
    expect(samples.get('swarm_tokens_total{model="claude-sonnet-4-5",kind="input"}')).toBe(10);
  });

  test('a cost beyond all reason does not take the other costs away', async () => {
    const memory = makeMemory({ hasUsage: true });
    memory.insert('task_usage', usageRow(AGO, 'good'), usageRow(AGO, 'absurd', { cost_usd: 1e308, agent_name: 'x' }));
    const samples = await samplesOf(memory);
    expect(samples.get('swarm_cost_usd_total{model="claude-sonnet-4-5",agent="cervella-backend"}')).toBe(0.5);
    expect(samples.has('swarm_window_cost_usd{window="24h"}')).toBe(true);
  });

  test('lessons and patterns of any status and severity have a series', async () => {
    const memory = makeMemory();
    const odd: Row[] = [
      { status: null, severity: null },
      { status: 'x "y"\n', severity: '🐝' },
      { status: ' active ', severity: 5 },
    ];
    memory.insert('lessons_learned', ...odd.map((each) => lessonRow({ ...each, times_applied: 'often' })));
    memory.insert(
      'error_patterns',
      ...odd.map(({ status, severity }) => patternRow({ status, severity_level: severity })),
    );
    const samples = await samplesOf(memory);
    for (const subject of ['lessons', 'patterns']) {
      expect(samples.get(`swarm_${subject}_total`)).toBe(3);
      expect(samples.get(`swarm_${subject}_by_status{status="other",severity="other"}`)).toBe(2);
      expect(samples.get(`swarm_${subject}_by_status{status="ACTIVE",severity="other"}`)).toBe(1);
    }
  });
});
