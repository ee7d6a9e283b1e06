// The recorder's database half in a process of its own: node recorder.mjs PATH
// Each line of standard input is a JSON array of results; each answer is a line: the report, or the error it ended in.
import { createInterface } from 'node:readline';

const BUILT = new URL('../../dist/orchestrator/recorder/memory-writer.js', import.meta.url);
const { openMemoryWriter } = await import(BUILT.href);
const writer = openMemoryWriter({ path: process.argv[2] });

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line))));
}

/** @param {unknown} results */
function answer(results) {
  try {
    return writer.write(results);
  } catch (error) {
    const { name, message, hint } = /** @type {Error & { hint: string }} */ (error);
    return { error: name, message: `${message} ${hint}` };
  }
}
