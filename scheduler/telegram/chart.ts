import { describeError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';

const [WIDTH, HEIGHT, MARGIN] = [800, 320, 16];
const [BACKGROUND, GRID] = ['#17212b', '#2b3b4b'];
/** Success, failed, unknown: as in the dashboards. */
const COLORS = ['#73bf69', '#f2495c', '#8e8e8e'];
const LINES = 4;
const GAP_SHARE = 0.25;

/** Days as bars, oldest first, each with its tasks by outcome one upon another. Without letters: a server has no fonts. */
export function drawDays(days: readonly (readonly number[])[]): string {
  const most = Math.max(1, ...days.map(sum));
  const step = (WIDTH - 2 * MARGIN) / days.length;
  const scale = (HEIGHT - 2 * MARGIN) / most;
  const bars = days.flatMap((outcomes, day) => {
    let y = HEIGHT - MARGIN;
    return outcomes.map((count, outcome) => {
      const height = count * scale;
      y -= height;
      const x = MARGIN + step * (day + GAP_SHARE / 2);
      return rectangle({ x, y, width: step * (1 - GAP_SHARE), height, color: COLORS[outcome] });
    });
  });
  const grid = Array.from({ length: LINES + 1 }, (_, line) => {
    const y = MARGIN + ((HEIGHT - 2 * MARGIN) * line) / LINES;
    return rectangle({ x: MARGIN, y, width: WIDTH - 2 * MARGIN, height: 1, color: GRID });
  });
  const ground = rectangle({ x: 0, y: 0, width: WIDTH, height: HEIGHT, color: BACKGROUND });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">`;
  return `${svg}${[ground, ...grid, ...bars].join('')}</svg>`;
}

/** The picture of an SVG; undefined where the library does not run, since words are enough. It is loaded when it is first needed. */
export async function renderPng(svg: string, log: Log): Promise<Uint8Array | undefined> {
  try {
    const { Resvg } = await import('@resvg/resvg-js');
    return new Resvg(svg, { font: { loadSystemFonts: false } }).render().asPng();
  } catch (error) {
    log.warn({ reason: describeError(error) }, 'no picture could be drawn');
    return undefined;
  }
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly color: string;
}

function rectangle({ x, y, width, height, color }: Rectangle): string {
  const places = { x, y, width, height };
  const attributes = Object.entries(places).map(([name, value]) => `${name}="${value.toFixed(1)}"`);
  return `<rect ${attributes.join(' ')} fill="${color}"/>`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
