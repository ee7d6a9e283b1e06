import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { eventRowsSql } from '../lib/memory/event-rows.ts';
import { probeSchema } from '../lib/memory/schema.ts';
import { addRows, makeBigMemory } from './big-memory.ts';
import { type RunningExporter, startRealExporter } from './running-exporter.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    days: { type: 'string', default: '365' },
    scrapes: { type: 'string', default: '1000' },
    keep: { type: 'string', default: '' },
  },
});
const SMALL_ROWS = 1_000;
const ROWS_BEFORE_SCRAPE = 100;
const REST_MS = 5_000;

/** What one memory showed. */
interface Measured {
  readonly bareReadMs: number;
  readonly readyMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly restMb: number;
  readonly highestMb: number;
}

const folder = options.keep || mkdtempSync(join(tmpdir(), 'swarm-bench-'));
try {
  const small = await measure(SMALL_ROWS);
  const big = await measure(Number(options.rows));
  const load = await measureUnderLoad(Number(options.rows));
  printTable(small, big, load);
} finally {
  if (!options.keep) rmSync(folder, { recursive: true, force: true });
}

function pathFor(rows: number): string {
  return join(folder, `${rows}-${options.days}`, 'swarm_memory.db');
}

async function measure(rows: number): Promise<Measured> {
  const path = pathFor(rows);
  if (!existsSync(path)) say(`making a memory of ${rows} rows`);
  mkdirFor(path);
  makeBigMemory({ path, rows, days: Number(options.days) });
  say(`reading ${rows} rows bare and by the exporter, three times each in turn`);
  const bare: number[] = [];
  const ready: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    bare.push(readBare(path));
    const exporter = await startRealExporter(path);
    ready.push(exporter.readyAfterMs);
    if (round < 2) await exporter.stop();
    else return await measureScrapes(exporter, path, rows, Math.min(...bare), Math.min(...ready));
  }
  throw new Error('unreachable');
}

async function measureScrapes(
  exporter: RunningExporter,
  path: string,
  rows: number,
  bareReadMs: number,
  readyMs: number,
): Promise<Measured> {
  for (let scrape = 0; scrape < 20; scrape += 1) await exporter.scrape();
  await sleep(REST_MS);
  const { restMb } = exporter.memory();
  say(`${options.scrapes} scrapes of ${rows} rows, ${ROWS_BEFORE_SCRAPE} new rows before each`);
  const writer = new Database(path);
  const first = writer.prepare('SELECT max(rowid) FROM swarm_events').pluck().get() as number;
  const times: number[] = [];
  for (let scrape = 0; scrape < Number(options.scrapes); scrape += 1) {
    addRows(writer, first + scrape * ROWS_BEFORE_SCRAPE, ROWS_BEFORE_SCRAPE);
    times.push(await exporter.scrape());
  }
  writer.close();
  const { highestMb } = exporter.memory();
  await exporter.stop();
  undo(path, first);
  return { bareReadMs, readyMs, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), restMb, highestMb };
}

/** Scrapes while one process inserts 500 rows a second and another checkpoints without end. */
async function measureUnderLoad(rows: number): Promise<{ readonly highestMs: number; readonly rowsWritten: number }> {
  const path = pathFor(rows);
  say('scraping while another process inserts 500 rows a second and a third checkpoints');
  const exporter = await startRealExporter(path);
  const db = new Database(path);
  const first = db.prepare('SELECT max(rowid) FROM swarm_events').pluck().get() as number;
  const script = new URL('./load.js', import.meta.url).pathname;
  const [writer, checkpointer] = ['write', 'checkpoint'].map((role) => spawn(process.execPath, [script, role, path]));
  let highestMs = 0;
  for (let scrape = 0; scrape < 40; scrape += 1) {
    highestMs = Math.max(highestMs, await exporter.scrape());
    await sleep(250);
  }
  for (const child of [writer, checkpointer]) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  const rowsWritten = (db.prepare('SELECT max(rowid) FROM swarm_events').pluck().get() as number) - first;
  db.close();
  await exporter.stop();
  undo(path, first);
  return { highestMs, rowsWritten };
}

/** The same statement as the exporter's, its rows thrown away one by one. */
function readBare(path: string): number {
  const db = new Database(path, { readonly: true });
  const startedMs = performance.now();
  const detailsAfter = new Date(Date.now() - 36 * 86_400_000).toISOString().slice(0, 10);
  const statement = db.prepare(eventRowsSql(probeSchema(db))).raw();
  for (const row of statement.iterate({ detailsAfter, after: Number.MIN_SAFE_INTEGER, limit: -1 })) void row;
  const elapsedMs = performance.now() - startedMs;
  db.close();
  return elapsedMs;
}

function undo(path: string, first: number): void {
  const db = new Database(path);
  db.prepare('DELETE FROM swarm_events WHERE rowid > ?').run(first);
  db.close();
}

function printTable(small: Measured, big: Measured, load: { highestMs: number; rowsWritten: number }): void {
  const rows = Number(options.rows).toLocaleString('en');
  const line = (what: string, ...cells: string[]): void => console.log(`| ${[what, ...cells].join(' | ')} |`);
  const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
  line('figure', '1,000 rows', `${rows} rows`, 'ratio', 'goal');
  line('---', '--:', '--:', '--:', '---');
  line('bare read of the same columns (better-sqlite3)', ms(small.bareReadMs), ms(big.bareReadMs), '', '');
  line('process start to ready', ms(small.readyMs), ms(big.readyMs), '', '');
  line('ready / bare read', '', '', (big.readyMs / big.bareReadMs).toFixed(2), '≤ 2');
  line('scrape with 100 new rows, p50', ms(small.p50Ms), ms(big.p50Ms), (big.p50Ms / small.p50Ms).toFixed(2), '');
  line(
    'scrape with 100 new rows, p99',
    ms(small.p99Ms),
    ms(big.p99Ms),
    (big.p99Ms / small.p99Ms).toFixed(2),
    '≤ 10 ms, ≤ 2',
  );
  line(
    'resident at rest, after 20 scrapes',
    `${small.restMb.toFixed(0)} MB`,
    `${big.restMb.toFixed(0)} MB`,
    '',
    '≤ 80 MB, ≤ 120 MB',
  );
  line(
    'resident at the highest, all scrapes included',
    `${small.highestMb.toFixed(0)} MB`,
    `${big.highestMb.toFixed(0)} MB`,
    '',
    '',
  );
  line(`slowest of 40 scrapes under load (${load.rowsWritten} rows written)`, '', ms(load.highestMs), '', '< 10 s');
}

function quantile(values: readonly number[], q: number): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(q * values.length) - 1];
}

function mkdirFor(path: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
