import { mask } from '../../lib/mask.ts';

/** Text from outside as one short line: nothing secret, no control characters, no half characters at its end. */
export function cleanText(text: string, length: number): string {
  const line = mask(text)
    .text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  const characters = Array.from(line);
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : line;
}
