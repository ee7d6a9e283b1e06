import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { marked, type Token, type Tokens } from 'marked';
import { describe, expect, test } from 'vitest';
import { createDemoMemory } from '../../../lib/memory/demo/demo.ts';
import type { Row } from '../../../lib/memory/demo/writer.ts';
import { composeRetro, composeShort } from '../../../scheduler/retro/compose.ts';
import { fillMemory } from '../../support/golden-memory.ts';
import {
  lessonRow,
  makeMemory,
  orchestratedRow,
  stopRow,
  type TestMemory,
  taskRow,
  tempDir,
  usageRow,
} from '../../support/memory-builder.ts';
import { NOW } from '../../support/memory-values.ts';
import { retroOf, retroValue } from '../../support/retro-values.ts';

const DAY_MS = 86_400_000;
const FRIDAY_MS = Date.parse('2026-11-27T17:00:00Z');
const ITALIAN = { language: 'it', timezone: 'Europe/Rome' } as const;
const ENGLISH = { language: 'en', timezone: 'Europe/Rome' } as const;

/** Compares with a file, or with UPDATE_GOLDEN=1 writes it anew. */
function expectGolden(text: string, file: string): void {
  const url = new URL(`../../../${file}`, import.meta.url);
  if (process.env.UPDATE_GOLDEN) writeFileSync(url, text);
  expect(text).toBe(readFileSync(url, 'utf8'));
}

function demoMemory(): string {
  const path = join(tempDir(), 'demo.db');
  createDemoMemory({ path, seed: 1, days: 30, untilMs: FRIDAY_MS, timezone: 'Europe/Rome' });
  return path;
}

test('the demo memory gives the example in docs/ (write it anew with UPDATE_GOLDEN=1)', async () => {
  const goals = [
    { goal: 'liberta-geo', percent: 30, setAt: '2026-11-01T09:00:00.000Z' },
    { goal: 'liberta-geo', percent: 35, setAt: '2026-11-25T09:00:00.000Z' },
  ];
  const figures = await retroOf(demoMemory(), { untilMs: FRIDAY_MS, goals });
  expectGolden(composeRetro(figures, ITALIAN), 'docs/example-retro.md');
  expectGolden(composeRetro(figures, ENGLISH), 'test/golden/retro/demo-english.md');
  expectGolden(
    `${composeShort(figures, ITALIAN)}\n\n${composeShort(figures, ENGLISH)}\n`,
    'test/golden/retro/demo-short.txt',
  );
});

function unknownOnly(): TestMemory {
  const memory = makeMemory();
  memory.events(...[1, 2, 3].map((day) => stopRow(NOW - day * DAY_MS, { agent_name: 'Explore' })));
  return memory;
}

function longAgo(): TestMemory {
  const memory = makeMemory();
  memory.events(taskRow(NOW - 40 * DAY_MS));
  return memory;
}

/** Much of what can go wrong: costs in vain, the same error again, work mended and tried again, no lesson applied. */
function hardWeek(): TestMemory {
  const memory = makeMemory({ hasUsage: true });
  const error = 'Timeout after 600 s waiting for "npm test"';
  for (let task = 0; task < 14; task += 1) {
    const endedMs = NOW - task * DAY_MS;
    const fails = task % 2 === 0;
    memory.events(
      orchestratedRow(endedMs, `T${task}`, {
        duration_ms: 5_000_000,
        ...(fails ? { event_type: 'task_failed', success: 0, error_message: error, agent_name: 'cervella-data' } : {}),
      }),
    );
    memory.insert(
      'task_usage',
      usageRow(endedMs, `T${task}`, { agent_name: fails ? 'cervella-data' : 'cervella-docs' }),
    );
  }
  memory.insert('lessons_learned', ...[1, 2, 3].map(() => lessonRow({ problem: 'Test lenti', status: 'ACTIVE' })));
  return memory;
}

test.each([
  ['empty', () => makeMemory()],
  ['long-ago', longAgo],
  ['unknown-only', unknownOnly],
  ['nine-columns', () => fillMemory(NOW, 'F')],
  ['hard-week', hardWeek],
])('golden: %s', async (name, make) => {
  const figures = await retroOf(make().path);
  expectGolden(composeRetro(figures, ITALIAN), `test/golden/retro/${name}.md`);
  expect(composeRetro(figures, ENGLISH)).not.toMatch(/undefined|NaN|Infinity/);
});

test.each(['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const)(
  'a memory in state %s has a page without gaps',
  async (state) => {
    const figures = await retroOf(fillMemory(NOW, state).path);
    for (const reader of [ITALIAN, ENGLISH]) {
      expect(composeRetro(figures, reader)).not.toMatch(/undefined|NaN|Infinity|null/);
      expect(composeShort(figures, reader)).not.toMatch(/undefined|NaN|Infinity|null/);
    }
  },
);

test('says how many outcomes are unknown beside the success rate', async () => {
  const page = composeRetro(await retroOf(fillMemory(NOW).path), ITALIAN);
  expect(page).toMatch(/\| Successo +\| +75% \(3 esiti non noti\) \|/);
});

test('beside the days before stands only what is known of them', () => {
  const before = (more: Parameters<typeof retroValue>[0]) =>
    composeShort(retroValue({ outcomesBefore: { success: 3, failed: 1, unknown: 2 }, ...more }), ITALIAN);
  const spendingBefore = { usd: 2, tasks: 4, wastedUsd: { failed: 0, retried: 0 } };
  expect(before({ spendingBefore })).toContain('\nPrima: 6 task, successo 75%, spesi 2,00 €');
  expect(before({})).toMatch(/\nPrima: 6 task, successo 75%$/);
  expect(before({ outcomesBefore: { success: 0, failed: 0, unknown: 1 } })).toMatch(/\nPrima: 1 task$/);
  expect(before({ outcomesBefore: { success: 0, failed: 0, unknown: 0 } })).not.toContain('Prima');
});

test('gives no success rate where no outcome is known', async () => {
  const page = composeRetro(await retroOf(unknownOnly().path), ITALIAN);
  expect(page).toMatch(/\| Successo +\| +non noto \(3 esiti non noti\) \|/);
  expect(page).toContain('Di nessuno si sa com’è andata');
});

describe('a week in which clocks change', () => {
  test.each([
    ['autumn', '2026-10-30T17:00:00Z', 'Da venerdì 23 ottobre alle 19:00 a venerdì 30 ottobre alle 18:00.'],
    ['spring', '2026-04-03T16:00:00Z', 'Da venerdì 27 marzo alle 17:00 a venerdì 3 aprile alle 18:00.'],
  ])('has 7 times 24 hours, and says when it began (%s)', async (_, until, said) => {
    const untilMs = Date.parse(until);
    const memory = makeMemory();
    memory.events(
      taskRow(untilMs - 7 * DAY_MS, { session_id: 'a' }),
      taskRow(untilMs - 7 * DAY_MS + 1_000, { session_id: 'b' }),
    );
    const figures = await retroOf(memory.path, { untilMs });
    expect(figures.outcomes.success).toBe(1);
    expect(composeRetro(figures, ITALIAN)).toContain(said);
  });
});

describe('text from outside', () => {
  /** A week whose every text is this one. */
  function weekOf(text: string): TestMemory {
    const memory = makeMemory({ hasUsage: true });
    const common: Row = { agent_name: text, project: text, task_description: text };
    for (let task = 0; task < 6; task += 1) {
      const fails = task < 3 ? { event_type: 'task_failed', success: 0, error_message: text } : {};
      memory.events(orchestratedRow(NOW - DAY_MS - task, `T${task}`, { ...common, ...fails }));
      memory.insert('task_usage', usageRow(NOW - DAY_MS, `T${task}`, { agent_name: text, model: text }));
    }
    const lesson = { problem: text, solution: text, severity: text, times_applied: 3 };
    const applied = new Date(NOW - DAY_MS).toISOString();
    memory.insert(
      'lessons_learned',
      lessonRow({ ...lesson, last_applied: applied, created_at: '2026-06-14 10:00:00' }),
      ...[1, 2, 3].map(() => lessonRow({ ...lesson, times_applied: 0, created_at: '2026-06-14 10:00:00' })),
    );
    return memory;
  }

  /** What a page is made of: kinds of tokens, without their text; of a table, those of every cell, and the last figure. */
  function shapeOf(markdown: string): unknown {
    const shape = (tokens: readonly Token[]): unknown[] =>
      tokens.flatMap((token) => {
        const children = 'tokens' in token && token.tokens ? shape(token.tokens) : [];
        if (['escape', 'text', 'space'].includes(token.type)) return children;
        const items = token.type === 'list' ? shape(token.items) : [];
        const cells =
          token.type === 'table'
            ? token.rows.map((row: Tokens.TableCell[]) => [row.map((cell) => shape(cell.tokens)), row.at(-1)?.text])
            : [];
        return [[token.type, children, items, cells]];
      });
    return shape(marked.lexer(markdown));
  }

  test.each([
    ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)>'],
    ['links', '[click](https://evil.example) ![img](https://evil.example/x.png) <https://evil.example>'],
    ['bare addresses', 'see https://evil.example/x and www.evil.example now'],
    ['emphasis', '**bold** _it_ ~~gone~~ `code` ```'],
    ['a table', 'a | b | c || d |'],
    ['a heading', '# Heading'],
    ['a list', '- item'],
    ['a numbered list', '1. item'],
    ['a quotation', '> said'],
    ['a checked box', '[x] done'],
    ['line breaks', 'one\n\n# two\r\n- three\u2028four\u0085five'],
    ['escapes', '\\[a\\](b) \\\\`x` &lt;b&gt; &#60;b&#62;'],
    ['a rule', '---'],
    ['a reference', '[a]: https://evil.example'],
  ])('means nothing in Markdown: %s', async (_, text) => {
    const [hostile, harmless] = await Promise.all([weekOf(text), weekOf('harmless')].map(({ path }) => retroOf(path)));
    const page = composeRetro(hostile, ITALIAN);
    expect(shapeOf(page)).toEqual(shapeOf(composeRetro(harmless, ITALIAN)));
    const html = marked.parse(page, { async: false });
    expect(html).not.toMatch(/<(?:script|img|a)\b/);
    // All of it is there, in every cell and line it belongs into.
    expect(html.split('evil.example').length > 2).toBe(text.includes('evil.example'));
  });

  test.each([
    ['control characters', 'a\u001b[31mred\u0007\u0000b', /[^\P{Cc}\n]/u],
    ['characters that turn text around', 'a\u202eb\u2066c\u200f', /[\u202e\u2066\u200f]/],
    ['an API key', 'failed with sk-ant-api03-abcdefghijklmnopqrst', /sk-ant-api03-a/],
    ['a password', 'password=hunter2-hunter2', /hunter2/],
    ['an address with a password', 'redis://user:hunter2@host:6379', /hunter2/],
    ['an e-mail address', 'mail to guest.name@hotel.example now', /guest\.name/],
  ])('is shown without %s, as Markdown, as JSON and on the phone', async (_, text, forbidden) => {
    const figures = await retroOf(weekOf(text).path);
    expect(composeRetro(figures, ITALIAN)).not.toMatch(forbidden);
    expect(composeShort(figures, ENGLISH)).not.toMatch(forbidden);
    expect(JSON.stringify(figures, null, 1)).not.toMatch(forbidden);
  });

  test('is cut, never in the middle of a character', async () => {
    const figures = await retroOf(weekOf('🐝'.repeat(20_000)).path);
    const page = composeRetro(figures, ITALIAN);
    expect(page).not.toMatch(/\p{Cs}/u);
    expect(page.length).toBeLessThan(15_000);
    expect(composeShort(figures, ITALIAN).length).toBeLessThanOrEqual(900);
    expect(JSON.stringify(figures).length).toBeLessThan(40_000);
  });
});

test('the short of a week never has more than 900 characters, and says first what it was', async () => {
  const figures = await retroOf(hardWeek().path);
  const long = figures.agents.map((each) => ({ ...each, agent: 'x'.repeat(400) }));
  const text = composeShort({ ...figures, agents: long }, ITALIAN);
  expect(text.length).toBeLessThanOrEqual(900);
  expect(text).toMatch(/^8–15 giugno 2026\n\d+ task/);
});

test('many agents, models and errors are told in few lines', async () => {
  const memory = makeMemory({ hasUsage: true });
  for (let task = 0; task < 300; task += 1) {
    const agent = `agent-${task}`;
    memory.events(
      orchestratedRow(NOW - DAY_MS, `T${task}`, { agent_name: agent, error_message: `boom ${'x'.repeat(task)}` }),
    );
    memory.insert('task_usage', usageRow(NOW - DAY_MS, `T${task}`, { agent_name: agent, model: `model-${task}` }));
  }
  const figures = await retroOf(memory.path);
  expect(figures.agents).toHaveLength(50);
  expect(composeRetro(figures, ITALIAN).split('\n').length).toBeLessThan(120);
});

test('a week with nothing but good tasks has nothing to avoid and nothing to change', () => {
  const page = composeRetro(retroValue(), ENGLISH);
  expect(page).toContain('## To avoid\n\nNothing in particular.');
  expect(page).toContain('## Suggestions\n\nNone, by what is known.');
});
