import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { JOBS } from '../../../scheduler/jobs/all.ts';
import { PERIODS } from '../../../scheduler/maintenance/task.ts';
import { MAINTENANCE_TASKS } from '../../../scheduler/maintenance/tasks.ts';
import { TIMETABLE } from '../../../scheduler/timetable.ts';

const DOCUMENT = new URL('../../../docs/maintenance.md', import.meta.url);
const [BEGIN, END] = ['<!-- made from scheduler/maintenance/tasks.ts -->', '<!-- until here -->'];

/** Every line of the calendar of the deployment guide (5.2), and of its security schedule (7). */
const GUIDE: readonly (readonly [every: string, line: string, task: string])[] = [
  ['daily', 'Rivedi alert notturni', 'night-alerts'],
  ['daily', 'Controlla completamento backup', 'backup-check'],
  ['daily', 'Rivedi trend tasso errore', 'error-trend'],
  ['daily', 'Controlla trend utilizzo risorse', 'resource-trend'],
  ['weekly', 'Rivedi risultati validazione cache pattern', 'lessons-review'],
  ['weekly', 'Analizza trend costi', 'cost-trend'],
  ['weekly', 'Controlla vulnerabilità sicurezza', 'vulnerability-check'],
  ['weekly', 'Rivedi log query lente', 'slow-tasks'],
  ['weekly', 'Testa ripristino backup (campionamento)', 'restore-test'],
  ['monthly', 'Rivedi proiezioni capacity planning', 'capacity'],
  ['monthly', 'Aggiorna soglie scaling se necessario', 'scaling-limits'],
  ['monthly', 'Rivedi e archivia vecchi log', 'log-clean-up'],
  ['monthly', 'Aggiorna documentazione', 'documentation'],
  ['monthly', 'Drill disaster recovery', 'recovery-drill'],
  ['monthly', 'Audit sicurezza', 'security-audit'],
  ['quarterly', 'Review sicurezza comprensiva', 'security-review'],
  ['quarterly', 'Benchmarking performance', 'performance-benchmark'],
  ['quarterly', 'Review ottimizzazione costi', 'cost-review'],
  ['quarterly', 'Aggiorna dipendenze e patch', 'dependencies'],
  ['quarterly', 'Review architettura', 'architecture-review'],
  ['monthly', 'Schedule patching sicurezza', 'security-patches'],
  ['weekly', 'Vulnerability scanning', 'vulnerability-check'],
  ['quarterly', 'Penetration testing', 'security-review'],
  ['quarterly', 'Rotazione credenziali regolare', 'security-review'],
];

test.each(GUIDE)('the guide wants %s "%s", and that is %s', (every, _, id) => {
  expect(MAINTENANCE_TASKS.find((task) => task.id === id)?.every).toBe(every);
});

test('no task is there twice, or for no reason', () => {
  const ids = MAINTENANCE_TASKS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(ids)).toEqual(new Set(GUIDE.map(([, , id]) => id)));
});

test('each period has a job and a time', () => {
  for (const period of PERIODS) {
    expect(JOBS.some(({ name }) => name === `maintenance-${period}`)).toBe(true);
    expect(TIMETABLE.some(({ job }) => job === `maintenance-${period}`)).toBe(true);
  }
});

test('what a person is asked fits a button, and its name what Telegram gives back', () => {
  for (const { id, words } of MAINTENANCE_TASKS.filter(({ by }) => by === 'person')) {
    expect(Math.max(words.it.length, words.en.length)).toBeLessThanOrEqual(100);
    expect(`tick:${id}.2026-12-01`.length).toBeLessThanOrEqual(64);
  }
});

test('docs/maintenance.md is what the table says (write it anew with UPDATE_DOCS=1)', () => {
  const header = ['how often', 'task', 'id', 'done by', 'seen in'];
  const rows = MAINTENANCE_TASKS.map(({ every, words, id, by, seenIn }) => [every, words.en, `\`${id}\``, by, seenIn]);
  // As the formatter has it: columns of one width.
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((cells) => cells[column].length)));
  const toLine = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  const table = [header, rule, ...rows].map(toLine).join('\n');
  const text = readFileSync(DOCUMENT, 'utf8');
  const [before, after] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))];
  const expected = `${before}${BEGIN}\n\n${table}\n\n${after}`;
  if (process.env.UPDATE_DOCS) writeFileSync(DOCUMENT, expected);
  expect(readFileSync(DOCUMENT, 'utf8')).toBe(expected);
});
