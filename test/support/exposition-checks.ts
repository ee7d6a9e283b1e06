import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';
import { findProgram, findPythonWithOpenMetrics } from './programs.ts';
import { parseSamples, type RunningExporter } from './running-exporter.ts';

/** Accept headers as the programs send them. */
export const ACCEPT = {
  prometheus2:
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  prometheus3:
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  text: 'text/plain',
} as const;

/** `promtool check metrics` has nothing to say of this text. */
export function expectLintFree(text: string): void {
  const { status, stdout, stderr } = spawnSync(findProgram('promtool'), ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  expect([`promtool: ${stdout}${stderr}`, status]).toEqual(['promtool: ', 0]);
}

const PARSE = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(sum(len(family.samples) for family in text_string_to_metric_families(sys.stdin.buffer.read().decode("utf-8"))))
`;

/** The strict parser of OpenMetrics takes this text; returns how many samples it found. */
export function expectOpenMetrics(text: string): number {
  const { status, stdout, stderr } = spawnSync(findPythonWithOpenMetrics(), ['-c', PARSE], {
    input: text,
    encoding: 'utf8',
  });
  expect([`parser: ${stderr}`, status]).toEqual(['parser: ', 0]);
  return Number(stdout);
}

/** Both forms of this moment's metrics are beyond reproach, and have the same series. */
export async function expectValidExposition(exporter: RunningExporter): Promise<void> {
  const text = await exporter.get('/metrics', ACCEPT.text);
  const openMetrics = await exporter.get('/metrics', ACCEPT.prometheus2);
  expectSameSeries(text.body, openMetrics.body);
}

/** Valid as text, valid as OpenMetrics, and a scraper that prefers one form gets the names of the other. */
export function expectSameSeries(text: string, openMetrics: string): void {
  expectLintFree(text);
  const [ofText, ofOpenMetrics] = [text, openMetrics].map((each) => [...parseSamples(each).keys()]);
  expect(ofOpenMetrics).toEqual(ofText);
  expect(expectOpenMetrics(openMetrics)).toBe(ofText.length);
}
