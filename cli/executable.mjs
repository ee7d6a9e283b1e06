// The last step of the build: what tsc cannot do.
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';

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
writeFileSync('dist/build.json', `${JSON.stringify({ revision: readRevision() })}\n`);
