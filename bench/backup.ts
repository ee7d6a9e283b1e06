import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { copyDatabase } from '../scheduler/backup/database-thread.ts';
import { makeBigMemory } from './big-memory.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '700000' },
    rounds: { type: 'string', default: '3' },
    keep: { type: 'string', default: '' },
  },
});
const SWARM = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const WRITER = fileURLToPath(new URL('./insert-waits.js', import.meta.url));
/** As root the writer runs before all other programs: what it waits for is then SQLite and the disk, not a turn. */
const BEFORE_ALL_OTHERS = process.getuid?.() === 0 ? ['chrt', '--fifo', '50'] : [];
const QUIET_MS = 10_000;
let lastOutput = '';

/** What a part took, and how long the slowest insert meanwhile had to wait. */
interface Part {
  readonly ms: number;
  readonly longestWaitMs: number;
  readonly inserts: number;
}

const folder = options.keep || mkdtempSync(join(tmpdir(), 'swarm-bench-'));
const path = join(folder, 'memory', 'swarm_memory.db');
try {
  mkdirSync(join(folder, 'memory'), { recursive: true });
  makeBigMemory({ path, rows: Number(options.rows), days: 365 });
  say(`a memory of ${(statSync(path).size / 1e9).toFixed(2)} GB`);
  const quiet = await whileInserting('nothing', () => sleep(QUIET_MS));
  const plain: Part[] = [];
  const synced: Part[] = [];
  const online: Part[] = [];
  for (let round = 0; round < Number(options.rounds); round += 1) {
    plain.push(await whileInserting('cp', () => copyPlainly(false)));
    synced.push(await whileInserting('cp and sync', () => copyPlainly(true)));
    online.push(await whileInserting('an online copy', copyOnline));
  }
  const whole = await whileInserting('swarm backup', () => swarm('backup', '--json'));
  const [{ file }] = JSON.parse(lastOutput) as { file: string }[];
  const restored = join(folder, 'restored', 'swarm_memory.db');
  rmSync(restored, { force: true });
  const restore = await whileInserting('swarm restore', () => swarm('restore', file, '--to', restored));
  printTable({
    quiet,
    plain: middle(plain),
    synced: middle(synced),
    online: middle(online),
    whole,
    restore,
    packedBytes: statSync(file).size,
  });
} finally {
  if (!options.keep) rmSync(folder, { recursive: true, force: true });
}

async function whileInserting(what: string, work: () => Promise<unknown> | undefined): Promise<Part> {
  say(`${what}, while 200 rows a second are inserted`);
  const [program, ...args] = [...BEFORE_ALL_OTHERS, process.execPath, WRITER, path];
  const writer = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(writer.stdout, 'data');
  const startedMs = performance.now();
  await work();
  const ms = performance.now() - startedMs;
  const { longestWaitMs, inserts } = await stop(writer);
  say(`  ${(ms / 1_000).toFixed(1)} s, longest wait ${longestWaitMs.toFixed(1)} ms of ${inserts} inserts`);
  return { ms, longestWaitMs, inserts };
}

async function stop(writer: ChildProcess): Promise<{ readonly longestWaitMs: number; readonly inserts: number }> {
  let text = '';
  writer.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = once(writer, 'close');
  writer.stdin?.end();
  await ended;
  return JSON.parse(text) as { longestWaitMs: number; inserts: number };
}

/** What `cp` does; it leaves out what the `-wal` holds, so it is no backup. Without a sync much of it is only in memory. */
async function copyPlainly(isSynced: boolean): Promise<void> {
  const to = join(folder, 'plain.db');
  await once(spawn('cp', [path, to]), 'close');
  if (isSynced) await once(spawn('sync', [to]), 'close');
  rmSync(to);
}

async function copyOnline(): Promise<void> {
  const destination = join(folder, 'online.db');
  await copyDatabase({ isMonitorDb: false, path, destination });
  rmSync(destination);
}

async function swarm(...args: readonly string[]): Promise<void> {
  const environment = {
    PATH: process.env.PATH,
    SWARM_DB_PATH: path,
    MONITOR_DB_PATH: join(folder, 'monitor', 'monitor.db'),
    BACKUP_DIR: join(folder, 'backups'),
  };
  const child = spawn(process.execPath, [SWARM, ...args], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  lastOutput = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    lastOutput += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`swarm ${args[0]} ended with ${code}`);
}

interface Measured {
  readonly quiet: Part;
  readonly plain: Part;
  readonly synced: Part;
  readonly online: Part;
  readonly whole: Part;
  readonly restore: Part;
  readonly packedBytes: number;
}

function printTable({ quiet, plain, synced, online, whole, restore, packedBytes }: Measured): void {
  const line = (what: string, part: Part, goal: string, isCompared = true): void => {
    const ratio = isCompared ? `${(part.ms / plain.ms).toFixed(2)} / ${(part.ms / synced.ms).toFixed(2)}` : '';
    const [seconds, wait] = [(part.ms / 1_000).toFixed(1), part.longestWaitMs.toFixed(1)];
    console.log(`| ${what} | ${seconds} s | ${ratio} | ${wait} ms | ${part.inserts} | ${goal} |`);
  };
  const gigabytes = (statSync(path).size / 1e9).toFixed(2);
  console.log(
    `| ${gigabytes} GB, 200 inserts a second | time | ratio to \`cp\` / with sync | longest insert | inserts | goal |`,
  );
  console.log('| --- | --: | --: | --: | --: | --- |');
  line('nothing else', quiet, '', false);
  line('`cp` of the file', plain, '');
  line('`cp` of the file, and `sync` of the copy', synced, '');
  line('online copy of it, as a backup begins', online, '≤ 3, ≤ 250 ms');
  line(`\`swarm backup\`: copy, check, compress to ${(packedBytes / 1e6).toFixed(0)} MB`, whole, '≤ 250 ms');
  line('`swarm restore` of it: checksum, unpack, check', restore, '< 60 s');
}

/** The middle time and the slowest insert of several rounds. */
function middle(parts: readonly Part[]): Part {
  const times = parts.map(({ ms }) => ms).toSorted((one, other) => one - other);
  return {
    ms: times[Math.floor(times.length / 2)],
    longestWaitMs: Math.max(...parts.map(({ longestWaitMs }) => longestWaitMs)),
    inserts: parts.reduce((sum, { inserts }) => sum + inserts, 0),
  };
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
