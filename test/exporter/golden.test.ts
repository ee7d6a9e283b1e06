import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COLLECTORS } from '../../exporter/collectors/all.ts';
import { readFacts } from '../../exporter/facts.ts';
import { createScraper, type Scrape } from '../../exporter/scrape.ts';
import { loadConfig } from '../../lib/config.ts';
import { OPENMETRICS_FORM, renderFamilies, TEXT_FORM } from '../../lib/exposition.ts';
import { expectLintFree, expectOpenMetrics, expectSameSeries } from '../support/exposition-checks.ts';
import { fillMemory } from '../support/golden-memory.ts';
import { openReader } from '../support/memory-figures.ts';
import { createTestClock, NOW } from '../support/memory-values.ts';

const GOLDEN = new URL('../golden/metrics.txt', import.meta.url);
const VARYING =
  /^(swarm_(?:\w+_duration_seconds|db_\w*size_bytes|db_modified_timestamp_seconds)(?:\{collector=.*\})?) .*$/gm;

function scrape(): Promise<Scrape> {
  const config = loadConfig({ INFRA_COST_EUR_MONTH: '12.5' });
  const reader = openReader(fillMemory(NOW).path, createTestClock());
  return createScraper({ config, reader, collectors: COLLECTORS, facts: readFacts }).scrape();
}

/** What differs from run to run, hidden: how long things took, the file's size and time, what was built with what. */
const mask = (text: string): string =>
  text.replace(VARYING, '$1 …').replace(/^swarm_build_info\{.*\} 1$/m, 'swarm_build_info{…} 1');

test('a small memory gives the text in test/golden/metrics.txt (write it anew with UPDATE_GOLDEN=1)', async () => {
  const text = mask(renderFamilies((await scrape()).families, TEXT_FORM));
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, 'utf8'));
});

test('the golden text has a sample of every metric there is', async () => {
  const golden = readFileSync(GOLDEN, 'utf8');
  const { families, problem } = await scrape();
  expect(problem).toBeUndefined();
  expect(families.filter(({ name }) => !new RegExp(`^${name}(_count)?[{ ]`, 'm').test(golden))).toEqual([]);
});

test('both forms are valid and have the same series under the same names', async () => {
  const { families } = await scrape();
  expectSameSeries(renderFamilies(families, TEXT_FORM), renderFamilies(families, OPENMETRICS_FORM));
});

test('each metric has one family, and each series is there once', async () => {
  const { families } = await scrape();
  const names = families.map(({ name }) => name);
  const series = families.flatMap(({ name, samples }) =>
    samples.map(({ labels, suffix }) => JSON.stringify([name, suffix, Object.entries(labels).toSorted()])),
  );
  expect([new Set(names).size, new Set(series).size]).toEqual([names.length, series.length]);
});

test.each([
  ['promtool', () => expectLintFree('# TYPE swarm_x counter\nswarm_x 1\n')],
  ['the OpenMetrics parser', () => expectOpenMetrics('# TYPE swarm_x gauge\nswarm_x 1\n')],
])('%s, as these tests use it, does object to bad text', (_, check) => {
  expect(check).toThrow('to deeply equal');
});
