const MAX_MESSAGE = 2_000;

/**
 * What an error message has in common with the same error another time: lower case, with paths, numbers, hex ids and
 * quoted text masked (swarm-memory.md, "repeated errors").
 */
export function errorSignature(message: string): string {
  return message
    .slice(0, MAX_MESSAGE)
    .toLowerCase()
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '<text>')
    .replace(/(?:[a-z]:)?(?:[\w.~-]*[/\\])+[\w.~-]*/g, '<path>')
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{7,}\b/g, '<id>')
    .replace(/\d+(?:[.,:]\d+)*/g, '<n>')
    .replace(/\s+/g, ' ')
    .trim();
}
