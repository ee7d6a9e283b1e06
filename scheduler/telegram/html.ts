/** Text in Telegram's HTML: what is in it from outside has been escaped. */
export interface Html {
  readonly html: string;
}

/** What one message may hold, tags and all: a little less than what Telegram counts, which is without tags. */
export const LONGEST_MESSAGE = 4_096;

/** Text from outside, to be read as it is. */
export function escapeText(text: string): Html {
  return { html: text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;') };
}

/** The first characters of a text, no half ones, and no control characters but new lines. */
export function cut(text: string, longest: number): string {
  const clean = text.replace(/[^\P{Cc}\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, ' ').trim();
  if (clean.length <= longest) return clean;
  return `${clean.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A text as one line. */
export function oneLine(text: string, longest: number): string {
  return cut(text.replace(/\s+/gu, ' '), longest);
}

/** Several texts below each other; those there are not are left out. */
export function join(parts: readonly (Html | undefined)[], separator = '\n'): Html {
  return {
    html: parts
      .filter((part) => part !== undefined)
      .map(({ html }) => html)
      .join(separator),
  };
}

/** A table in letters of equal width; columns of numbers, after the first, are flush right with their headings. */
export function table(rows: readonly (readonly string[])[]): Html {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ''))));
  const isNumeric = widths.map((_, column) => column > 0 && rows.some((row) => /^[-–\d]/.test(row[column] ?? '')));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat(Math.max(0, widths[column] - width(cell)));
        return isNumeric[column] ? space + cell : cell + space;
      })
      .join(' ')
      .trimEnd(),
  );
  return { html: `<pre>${escapeText(lines.join('\n')).html}</pre>` };
}

/** In a chat an emoji takes two places. */
function width(text: string): number {
  return [...text].reduce((sum, character) => sum + (/\p{Extended_Pictographic}/u.test(character) ? 2 : 1), 0);
}

/**
 * Splits a text into messages, at the end of a paragraph, a line or a word where there is one, never within a tag, an entity
 * or a character; tags that are open where it is cut are closed, and opened again in the next.
 */
export function split({ html }: Html, longest = LONGEST_MESSAGE): readonly Html[] {
  const messages: Html[] = [];
  let rest = html;
  while (rest.length > longest) {
    const at = findCut(rest, longest);
    const open = openTags(rest.slice(0, at));
    messages.push({ html: rest.slice(0, at).trimEnd() + open.map(closing).reverse().join('') });
    rest = open.join('') + rest.slice(at).replace(/^\s+/, '');
  }
  return [...messages, { html: rest }];
}

/** The text as a person reads it, without tags. */
export function toPlainText({ html }: Html): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&');
}

/** What has to stay free for the tags that are closed at a cut. */
const ROOM_FOR_TAGS = 40;

function findCut(html: string, longest: number): number {
  const most = longest - ROOM_FOR_TAGS;
  let last = { any: 1, word: 0, line: 0, paragraph: 0 };
  let at = 0;
  // A tag, an entity or a character: nothing is cut within one.
  for (const [part] of html.matchAll(/<[^>]*>|&[#\w]+;|[\s\S]/gu)) {
    if (at + part.length > most) break;
    at += part.length;
    if (part === '\n') last = { ...last, ...(html[at] === '\n' ? { paragraph: at } : {}), line: at };
    else if (part === ' ') last = { ...last, word: at };
    if (!/^<[^/]/.test(part)) last = { ...last, any: at };
  }
  const enough = most / 2;
  return [last.paragraph, last.line, last.word].find((place) => place > enough) ?? last.any;
}

function openTags(html: string): readonly string[] {
  const open: string[] = [];
  for (const [tag] of html.matchAll(/<[^>]*>/g)) {
    if (tag.startsWith('</')) open.pop();
    else open.push(tag);
  }
  return open;
}

function closing(tag: string): string {
  return `</${/^<(\w+)/.exec(tag)?.[1]}>`;
}
