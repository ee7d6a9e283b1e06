import type { Week } from '../retro/week.ts';
import type { Drawing } from './chart/render.ts';
import { drawWeek } from './chart/week.ts';
import type { Speaker } from './speaker.ts';
import { TOLD } from './words/notifications.ts';

/** The picture of a retrospective; none of a week in which there is nothing to see. */
export function retroPicture(week: Week | undefined, { language, say }: Speaker): Drawing | undefined {
  return week && { name: 'retro.png', svg: drawWeek(week, language), caption: say(TOLD.retroPicture) };
}
