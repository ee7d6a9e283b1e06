import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { COMPOSE, COMPOSE_TEXT, type ComposeFile, megabytes, readProjectFile, withDefaults } from './compose-file.ts';

const UNIT = readProjectFile('orchestrator/cervellaswarm-orchestrator.service');
const settings = new Map([...UNIT.matchAll(/^([A-Za-z]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));

test('the orchestrator on the host has the limits and the patience of the one in a container', () => {
  expect(settings.get('MemoryMax')).toBe(`${megabytes(COMPOSE.services.orchestrator.mem_limit)}M`);
  expect(settings.get('TimeoutStopSec')).toBe('11min');
  expect(withDefaults(COMPOSE_TEXT)).toContain('stop_grace_period: 11m\n');
  expect(settings.get('CPUQuota')).toBe(`${COMPOSE.services.orchestrator.cpus * 100}%`);
  expect(settings.get('TasksMax')).toBe(String(COMPOSE.services.orchestrator.pids_limit));
  expect(settings.get('NoNewPrivileges')).toBe('yes');
});

test('it starts what the container starts', () => {
  const [, program] = /^\/usr\/bin\/node dist\/(\S+)\.js$/.exec(settings.get('ExecStart') ?? '') ?? [];
  expect(existsSync(new URL(`../../${program}.ts`, import.meta.url))).toBe(true);
});

test('beside it no orchestrator runs in a container, and Prometheus finds the one on the host', () => {
  const { services } = parse(readProjectFile('docker-compose.host-orchestrator.yml')) as ComposeFile;
  expect(services.orchestrator.profiles).toEqual(['never']);
  expect(services.prometheus).toEqual({ extra_hosts: ['orchestrator:host-gateway'] });
});
