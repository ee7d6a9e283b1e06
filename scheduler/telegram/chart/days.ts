import { type Canvas, picture, stack, sum } from './svg.ts';

const MARGIN = 16;
const CANVAS: Canvas = {
  width: 800,
  height: 320,
  margin: { left: MARGIN, right: MARGIN, top: MARGIN, bottom: MARGIN },
};
const GAP_SHARE = 0.25;

/** Days as bars, oldest first, each with its tasks by outcome one upon another. */
export function drawDays(days: readonly (readonly number[])[]): string {
  const { width, height } = CANVAS;
  const step = (width - 2 * MARGIN) / days.length;
  const scale = (height - 2 * MARGIN) / Math.max(1, ...days.map(sum));
  const bars = days.flatMap((outcomes, day) => {
    const x = MARGIN + step * (day + GAP_SHARE / 2);
    return stack(outcomes, { x, y: height - MARGIN, width: step * (1 - GAP_SHARE), scale });
  });
  return picture(CANVAS, bars);
}
