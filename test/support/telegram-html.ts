const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

/** What a person reads of Telegram's HTML, read as strictly as Telegram does: known tags, closed in order, known entities. */
export function plainText(html: string): string | Error {
  const open: string[] = [];
  let text = '';
  for (const [part] of html.matchAll(/<[^>]*>?|&[^;\s]*;?|[^<&]+/g)) {
    const tag = /^<(\/?)(b|i|u|s|code|pre|a)(?: href="[^"<>]*")?>$/.exec(part);
    if (tag?.[1] === '/') {
      if (open.pop() !== tag[2]) return new Error(`unexpected end tag ${part}`);
    } else if (tag) {
      open.push(tag[2]);
    } else if (part.startsWith('<')) {
      return new Error(`unsupported start tag ${part.slice(0, 20)}`);
    } else if (part.startsWith('&')) {
      const character = entity(part);
      if (character === undefined) return new Error(`unknown entity ${part}`);
      text += character;
    } else {
      text += part;
    }
  }
  return open.length === 0 ? text : new Error(`unclosed tag ${open.at(-1)}`);
}

function entity(text: string): string | undefined {
  const match = /^&(?:#(\d+)|#x([\da-f]+)|(\w+));$/i.exec(text);
  if (!match) return undefined;
  const [, decimal, hexadecimal, name] = match;
  if (name) return ENTITIES[name];
  return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16));
}
