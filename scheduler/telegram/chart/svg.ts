/** Where a rectangle is, and how it is filled. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly color: string;
}

/** What a picture is drawn on: its size, and the room at its edges. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly margin: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };
}

/** Success, failed, unknown: as in the dashboards. */
export const OUTCOME_COLORS = ['#73bf69', '#f2495c', '#8e8e8e'];
const [BACKGROUND, GRID] = ['#17212b', '#2b3b4b'];
const LINES = 4;

/** A picture on the ground of a chat, with lines behind what is drawn. */
export function picture({ width, height, margin }: Canvas, drawn: readonly string[]): string {
  const ground = rectangle({ x: 0, y: 0, width, height, color: BACKGROUND });
  const lines = Array.from({ length: LINES + 1 }, (_, line) => {
    const y = margin.top + ((height - margin.top - margin.bottom) * line) / LINES;
    return rectangle({ x: margin.left, y, width: width - margin.left - margin.right, height: 1, color: GRID });
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`;
  return `${svg}${[ground, ...lines, ...drawn].join('')}</svg>`;
}

/** Tasks by outcome, one upon another from `y` upwards; `scale` is the height of one. */
export function stack(
  outcomes: readonly number[],
  { x, y, width, scale }: { readonly x: number; readonly y: number; readonly width: number; readonly scale: number },
): readonly string[] {
  let top = y;
  return outcomes.map((count, outcome) => {
    const height = count * scale;
    top -= height;
    return rectangle({ x, y: top, width, height, color: OUTCOME_COLORS[outcome] });
  });
}

/** A filled rectangle. */
export function rectangle({ x, y, width, height, color }: Rectangle): string {
  const places = { x, y, width, height };
  const attributes = Object.entries(places).map(([name, value]) => `${name}="${value.toFixed(1)}"`);
  return `<rect ${attributes.join(' ')} fill="${color}"/>`;
}

/** A sum. */
export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
