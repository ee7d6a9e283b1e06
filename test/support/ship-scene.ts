import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, startSwarm } from './command-line.ts';
import { type MemoryState, makeMemory, type TestMemory } from './memory-builder.ts';
import { makeScene, type SwarmScene } from './swarm-scene.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Two machines: the scene is the VM, with Redis and a recorder; beside it a laptop with a memory of its own. */
export interface ShipScene extends SwarmScene {
  readonly laptop: TestMemory;
  /** Where the sender keeps what it has sent. */
  readonly stateFile: string;
  /** Starts `swarm ship --to vm` on the laptop. */
  readonly startShip: (...options: readonly string[]) => ReturnType<typeof startSwarm>;
  readonly ship: (...options: readonly string[]) => Promise<CommandResult>;
  /** The line to the VM breaks, or is there again. */
  readonly setOnline: (isOnline: boolean) => void;
  /** What has arrived, by the id of the row. */
  readonly ids: (table?: string) => readonly unknown[];
}

/** Makes both machines; a script stands in for ssh, and does what ssh does with its arguments. */
export async function makeShipScene({ state = 'C' as MemoryState, wait = '20s' } = {}): Promise<ShipScene> {
  const scene = await makeScene();
  const home = join(scene.folder, 'laptop');
  mkdirSync(home);
  const laptop = makeMemory({ state, path: join(home, 'swarm_memory.db') });
  const [ssh, offline] = [join(home, 'ssh'), join(home, 'offline')];
  const settings = ['SWARM_DB_PATH', 'REDIS_URL'].map((name) => `${name}='${scene.env[name]}'`).join(' ');
  writeFileSync(
    ssh,
    `#!/bin/sh
[ -e '${offline}' ] && { echo "ssh: connect to host $1 port 22: No route to host" >&2; exit 255; }
shift
echo 'Welcome to the machine!'
cd '${scene.folder}' && exec env ${settings} sh -c "exec $*"
`,
  );
  chmodSync(ssh, 0o755);
  const remote = `${process.execPath} ${MAIN} receive --wait ${wait}`;
  const startShip: ShipScene['startShip'] = (...options) =>
    startSwarm(['ship', '--to', 'vm', '--ssh-command', ssh, '--remote-command', remote, ...options], {
      cwd: home,
      env: { SWARM_DB_PATH: laptop.path },
    });
  return {
    ...scene,
    laptop,
    stateFile: join(home, 'data', 'ship', 'vm.json'),
    startShip,
    ship: (...options) => startShip(...options).ended,
    setOnline: (isOnline) => (isOnline ? rmSync(offline) : writeFileSync(offline, '')),
    ids: (table = 'swarm_events') => scene.rows(`SELECT * FROM ${table} ORDER BY rowid`).map((row) => row.id),
  };
}
