import { createRequire } from 'node:module';
import { describeError } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import { runApart } from '../../program.ts';
import type { Attachment } from '../chat.ts';

/** A picture that is still to be drawn. */
export interface Drawing extends Pick<Attachment, 'name' | 'caption'> {
  readonly svg: string;
}

const require = createRequire(import.meta.url);
const TIMEOUT_MS = 10_000;
/** It knows no font: a server has none. */
const SCRIPT = `
  const { Resvg } = require(process.argv[1]);
  const svg = require('node:fs').readFileSync(0, 'utf8');
  process.stdout.write(new Resvg(svg, { font: { loadSystemFonts: false } }).render().asPng());
`;

/**
 * The picture as a file to be sent; none where it cannot be drawn, since words are enough. The library works in a process of its
 * own (docs/decisions.md).
 */
export async function render({ svg, ...drawing }: Drawing, log: Log): Promise<readonly Attachment[]> {
  try {
    const args = [require.resolve('@resvg/resvg-js')];
    const bytes = await runApart({ script: SCRIPT, args, input: svg, timeoutMs: TIMEOUT_MS });
    return [{ kind: 'photo', ...drawing, bytes }];
  } catch (error) {
    log.warn({ reason: describeError(error) }, 'no picture could be drawn');
    return [];
  }
}
