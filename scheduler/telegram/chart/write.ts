/** Letters as strokes in a box of 4 by 6: a server has no fonts. Digits, and the initials of days; to add one, a line here. */
const STROKES: Readonly<Record<string, string>> = {
  0: 'M2 0Q4 0 4 2V4Q4 6 2 6Q0 6 0 4V2Q0 0 2 0',
  1: 'M0.6 1.2L2.2 0V6',
  2: 'M0 1.5Q0.3 0 2 0Q4 0 4 1.6Q4 2.8 2 4.1L0 6H4',
  3: 'M0.2 0.9Q0.8 0 2 0Q3.8 0 3.8 1.5Q3.8 3 1.8 3Q4 3 4 4.5Q4 6 2 6Q0.5 6 0 5',
  4: 'M3 6V0L0 4.2H4',
  5: 'M3.8 0H0.6L0.3 2.8Q1 2.3 2 2.3Q4 2.3 4 4.1Q4 6 2 6Q0.5 6 0 5',
  6: 'M3.6 0.7Q3 0 2.1 0Q0 0 0 3.4V4Q0 6 2 6Q4 6 4 4.2Q4 2.5 2 2.5Q0.6 2.5 0 3.7',
  7: 'M0 0H4L1.5 6',
  8: 'M2 2.9Q0.3 2.9 0.3 1.45Q0.3 0 2 0Q3.7 0 3.7 1.45Q3.7 2.9 2 2.9Q0 2.9 0 4.45Q0 6 2 6Q4 6 4 4.45Q4 2.9 2 2.9',
  9: 'M0.4 5.3Q1 6 1.9 6Q4 6 4 2.6V2Q4 0 2 0Q0 0 0 1.8Q0 3.5 2 3.5Q3.4 3.5 4 2.3',
  D: 'M0 0H1.6Q4 0 4 3Q4 6 1.6 6H0Z',
  F: 'M4 0H0V6M0 2.9H3.2',
  G: 'M4 1.2Q3.5 0 2 0Q0 0 0 2.2V3.8Q0 6 2 6Q4 6 4 4V3.3H2.3',
  L: 'M0 0V6H3.6',
  M: 'M0 6V0L2 3.4L4 0V6',
  S: 'M3.8 1.1Q3.3 0 2 0Q0.2 0 0.2 1.5Q0.2 2.7 2 3Q4 3.3 4 4.5Q4 6 2 6Q0.5 6 0 4.8',
  T: 'M0 0H4M2 0V6',
  V: 'M0 0L2 6L4 0',
  W: 'M0 0L0.9 6L2 2L3.1 6L4 0',
};
const [BOX_WIDTH, BOX_HEIGHT, GAP] = [4, 6, 2];
const STROKE = 0.75;

/** Where a word stands: its middle, its lower edge, and how tall it is. */
export interface Writing {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly color: string;
}

/** A word in strokes; a letter there are none for is left blank. */
export function write(word: string, { x, y, height, color }: Writing): string {
  const scale = height / BOX_HEIGHT;
  const width = word.length * (BOX_WIDTH + GAP) - GAP;
  const letters = [...word].map((letter, index) => {
    const strokes = STROKES[letter];
    return strokes && `<path transform="translate(${index * (BOX_WIDTH + GAP)} 0)" d="${strokes}"/>`;
  });
  const place = `translate(${(x - (width * scale) / 2).toFixed(1)} ${(y - height).toFixed(1)}) scale(${scale.toFixed(3)})`;
  const pen = `fill="none" stroke="${color}" stroke-width="${STROKE}" stroke-linecap="round" stroke-linejoin="round"`;
  return `<g transform="${place}" ${pen}>${letters.join('')}</g>`;
}
