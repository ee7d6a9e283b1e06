// `npm start`: installs and builds what is missing, then runs `swarm up` in this process, so that signals reach it.
import { prepare } from './setup.mjs';

await prepare();
process.argv.splice(1, Infinity, 'swarm', 'up', ...process.argv.slice(2));
// @ts-ignore -- made by the build
await import('../dist/cli/main.js');
