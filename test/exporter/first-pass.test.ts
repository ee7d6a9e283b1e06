import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { makeBigMemory } from '../../bench/big-memory.ts';
import { stateOf } from '../support/exporter-state.ts';
import { tempDir } from '../support/memory-builder.ts';
import { type ExporterOptions, startExporter } from '../support/running-exporter.ts';

const ROWS = 120_000;
/** Every even row and the odd one after it are one run, save where the odd number ends in 9: those two are tasks each. */
const TASKS = ROWS - (ROWS / 2 - ROWS / 10 - 1);

function bigMemory(): ExporterOptions {
  const databasePath = join(tempDir(), 'big.db');
  makeBigMemory({ path: databasePath, rows: ROWS, days: 30 });
  return { databasePath };
}

describe('while a large memory is read for the first time', () => {
  test('the exporter says that it lives, is loading or ready, and in the end has counted every row', async () => {
    const exporter = await startExporter(bigMemory());
    const reasons: string[] = [];
    await vi.waitFor(
      async () => {
        expect((await exporter.get('/healthz')).status).toBe(200);
        reasons.push(await exporter.readiness());
        expect(reasons.at(-1)).toBe('ready');
      },
      { timeout: 30_000, interval: 20 },
    );
    expect(reasons.slice(0, -1).filter((reason) => !reason.startsWith('loading'))).toEqual([]);
    await vi.waitFor(async () => expect(await stateOf(exporter)).toEqual(['up', TASKS]), { timeout: 30_000 });
  });

  test('it is not kept from ending', async () => {
    const exporter = await startExporter(bigMemory());
    expect(await exporter.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
