// A process with a bare BullMQ worker that has nothing to do, to compare resident memory with.
import { Worker } from 'bullmq';

const worker = new Worker('idle', async () => undefined, { connection: { url: process.argv[2] } });
await worker.waitUntilReady();
process.stdout.write('{"port":0}\n');
