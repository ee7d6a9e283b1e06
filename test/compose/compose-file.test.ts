import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { PUBLISHED_PORTS } from '../../cli/doctor/deployment.ts';
import { STACK_MEMORY_MB } from '../../cli/doctor/machine.ts';
import { CHANNEL_SETTINGS, SCHEDULER_SETTINGS, SETTINGS, WORK_SETTINGS } from '../../lib/config.ts';
import { COMPOSE, COMPOSE_TEXT, megabytes, readProjectFile, type Service, withDefaults } from './compose-file.ts';

const SERVICES = Object.entries(COMPOSE.services);
const ALWAYS = SERVICES.filter(([, { profiles }]) => profiles === undefined);
const NAMES = ALWAYS.map(([name]) => name);
const RUNNING = SERVICES.filter(([name]) => name !== 'prepare');

function only(test: (service: Service) => boolean | undefined): string[] {
  return SERVICES.filter(([, service]) => test(service)).map(([name]) => name);
}

test('the services are those of the design, under the names of the plan', () => {
  expect(NAMES).toEqual([
    'prepare',
    'swarm-exporter',
    'scheduler',
    'orchestrator',
    'redis',
    'prometheus',
    'alertmanager',
    'grafana',
    'node-exporter',
  ]);
  for (const [name, { container_name }] of SERVICES) {
    expect(container_name).toBe(`cervellaswarm-${name.replace('swarm-', '')}`);
  }
  expect(COMPOSE.networks.default.name).toBe('cervellaswarm-network');
  expect(Object.keys(COMPOSE.volumes)).toEqual(expect.arrayContaining(['prometheus-data', 'grafana-data']));
});

test('ports are those of the design, and only Grafana, the webhook and the TLS edge can be seen from outside', () => {
  const published = SERVICES.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, withDefaults(port)]));
  expect(published).toEqual([
    ['swarm-exporter', '127.0.0.1:9091:9091'],
    ['scheduler', '127.0.0.1:9094:9094'],
    ['scheduler', '127.0.0.1:9095:9095'],
    ['orchestrator', '127.0.0.1:9092:9092'],
    ['redis', '127.0.0.1:6379:6379'],
    ['prometheus', '127.0.0.1:9090:9090'],
    ['alertmanager', '127.0.0.1:9093:9093'],
    ['grafana', '127.0.0.1:3000:3000'],
    ['caddy', '80:80'],
    ['caddy', '443:443'],
  ]);
  const bindable = SERVICES.flatMap(([, { ports = [] }]) => ports.filter((port) => !/^127\.0\.0\.1:/.test(port)));
  expect(bindable.map((port) => port.split(':-')[0])).toEqual(['${WEBHOOK_BIND', '${GRAFANA_BIND', '80:80', '443:443']);
});

test('doctor looks at the ports that are published', () => {
  const variables = [...COMPOSE_TEXT.matchAll(/\$\{(\w+_PORT):-(\d+)\}:/g)];
  expect(Object.fromEntries(variables.map(([, variable, port]) => [variable, Number(port)]))).toEqual(PUBLISHED_PORTS);
});

test('what Prometheus scrapes are services of the compose file at their ports', () => {
  const { scrape_configs } = parse(readProjectFile('prometheus/prometheus.yml'), { merge: true }) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  const hosts = scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap(({ targets }) => targets));
  expect(hosts.map((host) => host.split(':')[0]).filter((host) => host !== 'localhost')).toEqual(
    expect.arrayContaining(NAMES.filter((name) => !['prepare', 'redis', 'prometheus'].includes(name))),
  );
});

test.each(SERVICES)(
  '%s can change nothing but its data, gain no rights, and take no more than its share',
  (_, service) => {
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(megabytes(service.mem_limit)).toBeGreaterThan(0);
    expect(service.cpus).toBeGreaterThan(0);
    expect(service.pids_limit).toBeGreaterThan(0);
    expect(service.logging.options).toEqual({ 'max-size': '10m', 'max-file': '3' });
    expect(withDefaults(service.image)).toMatch(/:v?\d+\.\d+\.\d+(-alpine)?$/);
  },
);

test('no service runs as root, but the one-shot that prepares, and two optional ones whose images know no other user', () => {
  expect(only(({ user }) => user === undefined || /^0|root/.test(user))).toEqual(['prepare', 'caddy', 'docker-proxy']);
  expect(only(({ cap_add }) => cap_add !== undefined)).toEqual(['prepare', 'caddy']);
  expect(COMPOSE.services.prepare).toMatchObject({
    restart: 'no',
    network_mode: 'none',
    cap_add: ['CHOWN', 'DAC_OVERRIDE'],
  });
});

test('what runs is started again, says whether it is well, and waits for what it needs', () => {
  for (const [, { restart, healthcheck }] of RUNNING) {
    expect(restart).toBe('unless-stopped');
    expect(healthcheck?.test[0]).toMatch(/^CMD/);
  }
  const waits = Object.fromEntries(RUNNING.map(([name, { depends_on = {} }]) => [name, Object.keys(depends_on)]));
  expect(waits).toMatchObject({
    'swarm-exporter': ['prepare'],
    scheduler: ['prepare', 'redis'],
    orchestrator: ['prepare', 'redis'],
    redis: ['prepare'],
    // An alarm needs nothing of ours.
    alertmanager: ['prepare'],
    prometheus: ['alertmanager'],
    grafana: ['prepare', 'prometheus'],
  });
});

test('everything but the orchestrator fits into 1.6 GB, and the orchestrator has room for its agents', () => {
  const limits = ALWAYS.filter(([name]) => !['prepare', 'orchestrator'].includes(name)).map(([, { mem_limit }]) =>
    megabytes(mem_limit),
  );
  const sum = limits.reduce((total, limit) => total + limit, 0);
  expect(sum).toBeLessThanOrEqual(1_600);
  expect(sum).toBe(STACK_MEMORY_MB);
  expect(megabytes(COMPOSE.services.orchestrator.mem_limit)).toBe(
    256 + Number(WORK_SETTINGS.workersMax.fallback) * 700,
  );
  const guide = readProjectFile('docs/deploy.md');
  for (const [name, { mem_limit }] of ALWAYS)
    expect(guide).toMatch(new RegExp(`\\| ${name} +\\| +${megabytes(mem_limit)}\\b`));
  expect(guide).toMatch(new RegExp(`\\*\\*${sum}\\*\\*`));
});

test('a stop of the orchestrator may take longer than it drains', () => {
  const minutes = /stop_grace_period: \$\{ORCHESTRATOR_STOP_GRACE:-(\d+)m\}/.exec(COMPOSE_TEXT)?.[1];
  expect(Number(minutes)).toBeGreaterThan(Number(WORK_SETTINGS.drainMinutes.fallback));
});

test('only who has business outside has a way out', () => {
  expect(COMPOSE.networks).toMatchObject({
    default: { internal: true },
    published: { driver_opts: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' } },
  });
  expect(only(({ networks }) => networks?.includes('outside'))).toEqual([
    'scheduler',
    'orchestrator',
    'alertmanager',
    'caddy',
    'litestream',
    'remote-write',
  ]);
});

test('the memory is mounted as a folder, and only the recorder can write it', () => {
  const mounts = SERVICES.flatMap(([name, { volumes = [] }]) =>
    volumes.filter((volume) => volume.includes('SWARM_DB_DIR')).map((volume) => [name, withDefaults(volume)]),
  );
  expect(mounts).toEqual([
    ['prepare', './data:/memory'],
    ['swarm-exporter', './data:/memory:ro'],
    ['scheduler', './data:/memory:ro'],
    ['orchestrator', './data:/memory'],
    ['litestream', './data:/memory'],
  ]);
});

test('projects have the same path inside and outside, and only the orchestrator changes them', () => {
  for (const [name, { volumes = [] }] of SERVICES) {
    for (const volume of volumes.filter((each) => each.includes('PROJECTS_DIR'))) {
      const [outside, inside, mode] = withDefaults(volume).split(':');
      expect(inside).toBe(outside);
      expect(mode, name).toBe(['orchestrator', 'prepare'].includes(name) ? undefined : 'ro');
    }
  }
  expect(withDefaults(COMPOSE.services.orchestrator.environment?.WORK_DIR ?? '')).toMatch(/^\/srv\/swarm-projects\//);
});

test('the phone finds the logs of tasks: where the orchestrator writes them the scheduler may read', () => {
  const { scheduler, orchestrator } = COMPOSE.services;
  const workDir = withDefaults(scheduler.environment?.WORK_DIR ?? '');
  expect(workDir).toBe(withDefaults(orchestrator.environment?.WORK_DIR ?? ''));
  // Readable by their owner alone.
  expect(scheduler.user).toBe(orchestrator.user);
  const mounts = scheduler.volumes?.map((volume) => withDefaults(volume).split(':')) ?? [];
  const holding = mounts.filter(([, inside]) => workDir.startsWith(`${inside}/`));
  expect(holding).toEqual([['/srv/swarm-projects', '/srv/swarm-projects', 'ro']]);
});

test('the bot reaches Alertmanager by its own address, on a network both are in, whatever the one for people is', () => {
  const { scheduler, alertmanager } = COMPOSE.services;
  const { protocol, hostname, port, pathname } = new URL(scheduler.environment?.ALERTMANAGER_API_URL ?? '');
  expect([protocol, hostname, port, pathname]).toEqual(['http:', 'alertmanager', '9093', '/']);
  expect(alertmanager.ports?.map((each) => each.split(':').at(-1))).toEqual([port]);
  expect(alertmanager.command).toContain('--web.route-prefix=/');
  expect(scheduler.networks).toContain('default');
  expect(alertmanager.networks).toContain('default');
});

test('a secret is given to those who use it, from a variable or a file', () => {
  for (const [, service] of SERVICES) {
    for (const secret of service.secrets ?? []) {
      expect(service.environment, secret).toHaveProperty(secret.toUpperCase());
      expect(COMPOSE.secrets[secret]).toEqual({ file: `\${${secret.toUpperCase()}_FILE:-/dev/null}` });
    }
  }
  const { networks, ...grafana } = COMPOSE.services.grafana;
  expect(networks).toEqual(['default', 'published']);
  expect(JSON.stringify(grafana)).not.toMatch(/\$\{\w*(PASSWORD|TOKEN|SECRET)/);
});

test('every setting of ours reaches the service that reads it', () => {
  const passed = new Set(SERVICES.flatMap(([, { environment = {} }]) => Object.keys(environment)));
  const isPort = (variable: string): boolean => variable.endsWith('_PORT');
  const missing = Object.values({ ...SETTINGS, ...WORK_SETTINGS, ...CHANNEL_SETTINGS, ...SCHEDULER_SETTINGS })
    .map(({ variable }) => variable)
    .filter((variable) => !passed.has(variable) && !passed.has(`${variable}_FILE`) && !isPort(variable));
  expect(missing).toEqual([]);
});

test('neither generation of Compose meets what it does not know', () => {
  const keys = Object.keys(parse(COMPOSE_TEXT, { merge: true }) as object).filter((key) => !key.startsWith('x-'));
  expect(keys).toEqual(['services', 'networks', 'volumes', 'secrets']);
  expect(COMPOSE_TEXT).not.toMatch(/:latest|\benvironment: "|start_interval|\$\{\w+:[+]/);
  expect(COMPOSE_TEXT).not.toMatch(/\$\{[^}]*\$\{/);
});
