// `npm start`: installs and builds what is missing, then runs `swarm up` in this process, so that signals reach it.
import { prepare } from './setup.mjs';

await prepare();
process.argv.splice(1, Infinity, 'swarm', 'up', ...process.argv.slice(2));
await import(new URL('../dist/cli/main.js', import.meta.url).href);
