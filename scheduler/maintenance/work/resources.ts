import { readFile, statfs } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { dirname } from 'node:path';
import { bytes, number, type Words } from '../../words.ts';
import { attention, type Finding, notHere, ok, type WorkContext } from '../task.ts';

const [FEW_BYTES, SMALL_SHARE] = [2e9, 0.1];
const SOON_DAYS = 30;

/** How the disk beside the memory, main memory and processors are used, and when the disk is full if it goes on like this. */
export function reviewResources(context: WorkContext): Promise<Finding> {
  return look(context, 6);
}

/** The same over a month. */
export function planCapacity(context: WorkContext): Promise<Finding> {
  return look(context, 25);
}

async function look({ settings, earlier }: WorkContext, days: number): Promise<Finding> {
  const folder = dirname(settings.config.swarmDbPath);
  const disk = await statfs(folder).catch(() => undefined);
  if (disk === undefined)
    return notHere({ it: 'la cartella della memoria non c’è', en: 'the folder of the memory is not here' });
  const freeBytes = disk.bavail * disk.bsize;
  const available = await availableShare();
  const before = earlier('freeBytes', days);
  const daysLeft = before === undefined || before <= freeBytes ? undefined : (freeBytes / (before - freeBytes)) * days;
  const figures = {
    freeBytes,
    load15: loadavg()[2],
    ...(available === undefined ? {} : { availableShare: available }),
  };
  const isScarce = freeBytes < FEW_BYTES || (available ?? 1) < SMALL_SHARE || (daysLeft ?? Infinity) < SOON_DAYS;
  return (isScarce ? attention : ok)(describe({ freeBytes, available, daysLeft }), figures);
}

interface Resources {
  readonly freeBytes: number;
  readonly available: number | undefined;
  readonly daysLeft: number | undefined;
}

function describe({ freeBytes, available, daysLeft }: Resources): Words {
  const free = bytes(freeBytes);
  const memory = number((available ?? 0) * 100);
  const load = number(loadavg()[2], 1);
  const it = [
    `disco ${free.it} liberi${daysLeft === undefined ? '' : `, di questo passo pieno fra ${Math.floor(daysLeft)} g`}`,
    ...(available === undefined ? [] : [`memoria libera ${memory.it} %`]),
    `carico ${load.it}`,
  ];
  const en = [
    `disk ${free.en} free${daysLeft === undefined ? '' : `, at this pace full in ${Math.floor(daysLeft)} d`}`,
    ...(available === undefined ? [] : [`memory ${memory.en} % free`]),
    `load ${load.en}`,
  ];
  return { it: it.join(', '), en: en.join(', ') };
}

/** What programs could still have of the main memory: files that are only kept at hand count as free. */
async function availableShare(): Promise<number | undefined> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const [total, available] = ['MemTotal', 'MemAvailable'].map((name) =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]),
  );
  return total > 0 && available >= 0 ? available / total : undefined;
}
