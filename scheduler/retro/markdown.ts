/** Characters that would begin something in Markdown or HTML wherever they stand. */
const SPECIAL = /[\\`*_[\]|~]/g;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Text from outside as prose: it begins no heading, list, link, emphasis, table cell or HTML, and is no address to click. */
export function prose(text: string): string {
  return text
    .replace(SPECIAL, String.raw`\$&`)
    .replace(/[&<>]/g, (character) => ENTITIES[character])
    .replace(/^([#+=:-]|\d+(?=[.)]))/, (start) => (/\d/.test(start) ? `${start}\\` : `\\${start}`))
    .replace(/:(?=\/\/)/g, String.raw`\:`)
    .replace(/@/g, String.raw`\@`)
    .replace(/\bwww\./gi, (www) => www.replace('.', String.raw`\.`));
}

/** Text from outside to the letter, but for backticks: nothing in it means anything. */
export function code(text: string): string {
  return `\`${text.replaceAll('`', '’')}\``;
}

/** A table that can be read as it is, too: the first column flush left, the others flush right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((cells) => cells[column].length)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]);
  const line = (cells: readonly string[]): string => `| ${cells.map(pad).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)];
}
