import { expect, test } from 'vitest';
import { MASK, mask } from '../../../lib/mask.ts';
import { NOTIFICATION_KINDS } from '../../../lib/queue/notification.ts';
import { KINDS, shortId, tell } from '../../../scheduler/telegram/catalogue.ts';
import { ACTIONS, COMMANDS } from '../../../scheduler/telegram/commands/all.ts';
import { cut, split, table, toPlainText } from '../../../scheduler/telegram/html.ts';
import { isQuiet } from '../../../scheduler/telegram/quiet-hours.ts';
import { createSpeaker } from '../../../scheduler/telegram/speaker.ts';
import { LABELS } from '../../../scheduler/telegram/words/buttons.ts';
import { KPI_WORDS } from '../../../scheduler/telegram/words/kpis.ts';
import { OUTCOME_WORDS, PERIOD_WORDS, STATE_WORDS, TOLD } from '../../../scheduler/telegram/words/notifications.ts';
import { REPLIES } from '../../../scheduler/telegram/words/replies.ts';
import { LANGUAGES, type Words } from '../../../scheduler/words.ts';
import { plainText } from '../../support/telegram-html.ts';

const speaker = createSpeaker({ language: 'it', timezone: 'Europe/Rome' });
const TABLES = { TOLD, REPLIES, LABELS, OUTCOME_WORDS, STATE_WORDS, PERIOD_WORDS, KPI_WORDS };
const ALL: readonly (readonly [name: string, words: Words])[] = [
  ...Object.entries(TABLES).flatMap(([name, words]) =>
    Object.entries(words as Record<string, Words>).map(([key, each]) => [`${name}.${key}`, each] as const),
  ),
  ...COMMANDS.flatMap(({ names, about }) => [[`/${names.en}`, about] as const]),
];

test.each(ALL)('%s is said in every language, with the same values, in HTML that Telegram takes', (_, words) => {
  const placeholders = LANGUAGES.map((language) => [...words[language].matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  expect(placeholders[1].toSorted()).toEqual(placeholders[0].toSorted());
  for (const language of LANGUAGES) {
    expect(words[language].trim()).not.toBe('');
    expect(plainText(words[language])).not.toBeInstanceOf(Error);
  }
});

test('every kind of notification has words, and every button something that it does', () => {
  for (const kind of NOTIFICATION_KINDS) expect(Object.keys(KINDS)).toContain(kind);
  for (const [name, { buttons = () => [] }] of Object.entries(KINDS) as [
    string,
    { buttons?: typeof KINDS.approval.buttons },
  ][]) {
    const facts = { id: 'x1', round: 0, outcome: 'ok', 'item-a': 'A' };
    for (const { action } of buttons(facts).flat()) expect(ACTIONS.has(action), `${name}: ${action}`).toBe(true);
  }
});

test('commands have names that Telegram takes, each its own', () => {
  const names = COMMANDS.flatMap(({ names: { it, en } }) => [...new Set([it, en])]);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9_]{1,32}$/);
});

test('a line one of whose values is not there is left out; what is there is escaped', () => {
  const words = { it: 'A {a}\nB {b}\nC', en: '' };
  expect(speaker.say(words, { a: '<b>&"' }).html).toBe('A &lt;b&gt;&amp;&quot;\nC');
});

test.each([
  ['sk-ant-api03-abcdefghijklmnop', true],
  ['123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr', true],
  ['ghp_abcdefghijklmnopqrstuvwxyz', true],
  ['github_pat_abcdefghijklmnopqrstuvwxyz', true],
  ['AKIAABCDEFGHIJKLMNOP', true],
  ['xoxb-123456789012-abcdef', true],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', true],
  ['-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----', true],
  ['rossi.mario+x@posta.example.it', false],
  ['+39 333 123 4567', false],
  ['+393331234567', false],
  ['333 1234567', false],
  ['06 12345678', false],
  ['4111 1111 1111 1111', false],
  ['IT60X0542811101000000123456', false],
])('"%s" is masked', (text, hadSecret) => {
  expect(mask(`prima ${text} dopo`)).toEqual({ text: `prima ${MASK} dopo`, hadSecret });
});

test.each([
  'password=hunter22',
  'api_key: "abcd1234"',
  'GITHUB_TOKEN=abcdefgh',
  'Authorization: Bearer abcdefghijklmnop',
])('of "%s" the value is masked', (text) => {
  expect(mask(text).text).toMatch(/^[A-Za-z_]+[=:]\s*"?(Bearer )?\[\*\*\*\]"?$/);
});

test('of an address the password is masked', () => {
  expect(mask('redis://u:geheim@host:6379/0').text).toBe('redis://u:[***]@host:6379/0');
});

test.each([
  '6f1c2d3e-4b5a-4c7d-8e9f-0a1b2c3d4e5f',
  '2026-11-25T11:00:00.000Z',
  '12.345,67 $ · 1.234.567 token',
  'costUsd 0.123456789, 4821 ms, riga 333',
  'commit 0123456789abcdef0123456789abcdef01234567',
  '1764068400000',
  'porta 9091, 10.0.0.12:8001',
])('"%s" is no secret', (text) => {
  expect(mask(text)).toEqual({ text, hadSecret: false });
});

test('a key is masked before the text is cut, so that no half of it is left', () => {
  expect(speaker.quote(`${'x'.repeat(10)} sk-ant-api03-abcdefghijklmnop`, 20).html).toBe('xxxxxxxxxx [***]');
});

test.each([120, 500, 4_096])(
  'a text is split into messages of %d, whole tags, entities and characters in each',
  (longest) => {
    const html = `<b>Titolo</b>\n${'<i>parola &lt;🐝&gt; &amp;</i> altra\n'.repeat(400)}<pre>${'x'.repeat(9_000)}</pre>`;
    const parts = split({ html }, longest);
    for (const part of parts) {
      expect(part.html.length).toBeLessThanOrEqual(longest);
      expect(plainText(part.html)).not.toBeInstanceOf(Error);
      expect(part.html).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
    }
    const letters = (text: string): string => text.replace(/\s/g, '');
    expect(letters(parts.map((part) => toPlainText(part)).join(''))).toBe(letters(toPlainText({ html })));
  },
);

test('a text is cut between characters, without what turns its direction', () => {
  expect(cut('abc🐝def', 5)).toBe('abc…');
  expect(cut('a\u202eb\u0007c\nd', 20)).toBe('a b c\nd');
});

test('a table is aligned', () => {
  expect(
    toPlainText(
      table([
        ['', 'costo'],
        ['24h', '1,00 $'],
        ['7d', '12,00 $'],
      ]),
    ),
  ).toBe('      costo\n24h  1,00 $\n7d  12,00 $');
});

test.each([
  ['22:30-08:00', '2026-11-25T21:29:00Z', false],
  ['22:30-08:00', '2026-11-25T21:30:00Z', true],
  ['22:30-08:00', '2026-11-25T23:00:00Z', true],
  ['22:30-08:00', '2026-11-26T06:59:00Z', true],
  ['22:30-08:00', '2026-11-26T07:00:00Z', false],
  // The night in which clocks go forward, and the one in which they go back.
  ['22:30-08:00', '2026-03-29T05:59:00Z', true],
  ['22:30-08:00', '2026-03-29T06:00:00Z', false],
  ['22:30-08:00', '2026-10-25T06:59:00Z', true],
  ['22:30-08:00', '2026-10-25T07:00:00Z', false],
  ['13:00-15:00', '2026-11-25T12:30:00Z', true],
  ['13:00-15:00', '2026-11-25T14:00:00Z', false],
  ['00:00-00:00', '2026-11-25T12:00:00Z', false],
])('within %s at %s: %s', (hours, at, isQuietThen) => {
  expect(isQuiet(Date.parse(at), hours, 'Europe/Rome')).toBe(isQuietThen);
});

test('an id is written so that one can touch it', () => {
  expect(shortId('6f1c2d3e-4b5a-4c7d-8e9f-0a1b2c3d4e5f')).toBe('6f1c2d3e');
  expect(`/task_${shortId('code-review-0123456789abcdef01234567')}`).toBe('/task_code_review_0123456789abcd');
});

test('a text from outside is no HTML of ours, in whatever fact it stands', () => {
  const facts = { agent: '<b>', project: '&', outcome: '<i>', error: '</b>', id: '<a>', branch: '"', attempts: 1 };
  expect(plainText(tell('task-ended', { ...facts, costUsd: 0, durationMs: 0 }, speaker).html)).toContain(
    '<b> · &\n</b>',
  );
});
