// The import rules of design.md, checked by `npm test`. A rule's comment is what its breaker reads.
const ROOMS = ['exporter', 'scheduler', 'orchestrator'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Modules that need each other are one module, or need a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...ROOMS.map((room) => ({
      name: `${room}-imports-no-room`,
      comment: 'Rooms meet in SQLite, in Redis and in lib, never by import.',
      severity: /** @type {const} */ ('error'),
      from: { path: `^${room}/` },
      to: { path: `^(cli|bench|test|${ROOMS.filter((each) => each !== room).join('|')})/` },
    })),
    {
      name: 'lib-imports-no-room',
      comment: 'lib is below every room.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: `^(cli|bench|test|${ROOMS.join('|')})/` },
    },
    {
      name: 'nobody-imports-the-command-line',
      comment: 'cli is the front door: it may import any room, and nobody imports it.',
      severity: 'error',
      from: { pathNot: '^(cli|test)/' },
      to: { path: '^cli/' },
    },
    {
      name: 'only-memory-opens-sqlite',
      comment: 'Only lib/memory and the recorder open swarm_memory.db; monitor.db belongs to the scheduler.',
      severity: 'error',
      from: { pathNot: '^(lib/memory|orchestrator/recorder|scheduler|bench|test)/?' },
      to: { path: 'node_modules/better-sqlite3', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-lib-queue-and-orchestrator-use-bullmq',
      comment: 'lib/queue is the only place where rooms meet in Redis.',
      severity: 'error',
      from: { pathNot: '^(lib/queue|orchestrator|bench|test)/' },
      to: { path: 'node_modules/bullmq' },
    },
    {
      name: 'only-the-runner-spawns',
      comment:
        'Only orchestrator/runner starts agents, only lib/git starts git, scheduler/program asks systemctl and npm and runs what is to leave no memory behind, scheduler/backup/second-command starts what takes a backup away; the command line starts redis-server.',
      severity: 'error',
      from: {
        pathNot:
          '^(orchestrator/runner/|lib/git\\.ts$|scheduler/program\\.ts$|scheduler/backup/second-command\\.ts$|cli/|bench/|test/)',
      },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'no-unlisted-packages',
      comment: 'What is imported is in package.json, and each run-time dependency in docs/decisions.md.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    {
      name: 'only-the-dashboards-know-grafana',
      comment: 'Dashboards are built by grafana/builder and committed; nothing of that is needed at run time.',
      severity: 'error',
      from: { pathNot: '^(grafana|test)/' },
      to: { path: '^(grafana/|node_modules/@grafana)' },
    },
    {
      name: 'run-time-code-needs-no-development-package',
      comment: 'A production install has no devDependencies.',
      severity: 'error',
      from: { path: '^(lib|cli|exporter|scheduler|orchestrator)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
