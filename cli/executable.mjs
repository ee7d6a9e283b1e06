// The last step of the build: what tsc cannot do.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';

/** The commit the build is made from; unknown outside a checkout. */
function readRevision() {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return process.env.SWARM_REVISION ?? 'unknown';
  }
}

chmodSync('dist/cli/main.js', 0o755);
// npm links the commands of dependencies, not those of the package itself: `npx --no-install swarm` needs this.
if (existsSync('node_modules/.bin')) {
  rmSync('node_modules/.bin/swarm', { force: true });
  symlinkSync('../../dist/cli/main.js', 'node_modules/.bin/swarm');
}
writeFileSync('dist/build.json', `${JSON.stringify({ revision: readRevision() })}\n`);
