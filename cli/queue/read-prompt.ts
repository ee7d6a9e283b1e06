import { UsageError } from '../../lib/errors.ts';

/** More than any prompt may have, whatever its characters. */
const MOST_BYTES = 1_000_000;

/**
 * The prompt as it was given, or all of standard input for `-`.
 * @throws UsageError if that has more than a million bytes; it is not read any further.
 */
export async function readPrompt(argument: string, input: AsyncIterable<Buffer | string>): Promise<string> {
  if (argument !== '-') return argument;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const read = Buffer.from(chunk);
    bytes += read.length;
    if (bytes > MOST_BYTES) {
      throw new UsageError(
        'Could not accept the task: prompt: standard input has more than 1,000,000 bytes.',
        'Put what is long into a file of the project, and name it in the prompt.',
      );
    }
    chunks.push(read);
  }
  return Buffer.concat(chunks).toString('utf8');
}
