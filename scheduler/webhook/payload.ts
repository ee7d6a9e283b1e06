/** GitHub's own payloads have about ten levels and at most some hundred thousand values. */
const [DEEPEST, MOST_VALUES] = [64, 1_000_000];
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
/** By how much a byte outside of texts changes the depth. */
const STEPS = new Int8Array(256);
for (const opening of Buffer.from('[{')) STEPS[opening] = 1;
for (const closing of Buffer.from(']}')) STEPS[closing] = -1;

/** What a body says; undefined if it is no JSON, or more of it than any payload is made of. */
export function parsePayload(body: Buffer): unknown {
  if (!isModest(body)) return undefined;
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Looked at as bytes: a parsed bomb would take many times its size. */
function isModest(body: Buffer): boolean {
  let [depth, values] = [0, 0];
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfText(body, at + 1);
    depth += STEPS[byte];
    if (byte === COMMA || STEPS[byte] === 1) values += 1;
    if (depth > DEEPEST || values > MOST_VALUES) return false;
  }
  return true;
}

function endOfText(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}
