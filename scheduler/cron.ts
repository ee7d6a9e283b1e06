/** When something happens by the clock on the wall: minute, hour, day of the month, month, day of the week. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Whether a day is meant; `weekday` is 0 on Sunday. */
  readonly matchesDay: (day: { readonly month: number; readonly day: number; readonly weekday: number }) => boolean;
}

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'the minute', least: 0, most: 59 },
  { name: 'the hour', least: 0, most: 23 },
  { name: 'the day of the month', least: 1, most: 31 },
  { name: 'the month', least: 1, most: 12 },
  { name: 'the day of the week', least: 0, most: 7, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];
const LONGEST_TEXT = 200;
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads five fields of cron: numbers, lists, ranges, steps, and mon to sun for days of the week. As cron has it, a day is
 * meant if it matches either the day of the month or the day of the week, where both are restricted.
 * @throws Error whose message says which field is wrong and what was expected.
 */
export function parseCron(text: string): Cron {
  const parts = text.trim().split(/\s+/);
  if (text.length > LONGEST_TEXT || parts.length !== FIELDS.length) {
    throw new Error(
      'expected five fields such as "0 18 * * fri": minute, hour, day of the month, month, day of the week',
    );
  }
  const [minutes, hours, days, months, weekdays] = parts.map((part, index) => parseField(part, FIELDS[index]));
  const [isAnyDay, isAnyWeekday] = [parts[2] === '*', parts[4] === '*'];
  const isPossible = months.some((month) => days.some((day) => day <= LONGEST_MONTHS[month - 1]));
  if (!isPossible && isAnyWeekday) throw new Error('no year has such a day');
  return {
    minutes,
    hours,
    matchesDay: ({ month, day, weekday }) => {
      if (!months.includes(month)) return false;
      const isDay = days.includes(day);
      const isWeekday = weekdays.includes(weekday) || (weekday === 0 && weekdays.includes(7));
      return isAnyDay || isAnyWeekday ? isDay && isWeekday : isDay || isWeekday;
    },
  };
}

function parseField(text: string, field: Field): readonly number[] {
  const values = text.split(',').flatMap((item) => parseItem(item, field));
  return [...new Set(values)].sort((a, b) => a - b);
}

/** `*`, `5`, `1-5`, each but a single number perhaps with a step: `*` + `/15`, `9-17/2`. */
function parseItem(item: string, field: Field): readonly number[] {
  const { name, least, most } = field;
  const [range, stepText, ...rest] = item.split('/');
  const step = stepText === undefined ? 1 : Number(stepText);
  const bounds = range.split('-').map((bound) => parseValue(bound, field));
  const [from, to] = range === '*' ? [least, most] : [bounds[0], bounds.length === 1 ? bounds[0] : bounds[1]];
  const isSound =
    rest.length === 0 &&
    (stepText === undefined || (/^\d{1,2}$/.test(stepText) && step > 0 && (range === '*' || bounds.length === 2))) &&
    bounds.length <= 2 &&
    from >= least &&
    to <= most &&
    from <= to;
  if (!isSound)
    throw new Error(`${name} is "${item.slice(0, 40)}", expected ${least} to ${most}, *, or lists, ranges, steps`);
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

function parseValue(text: string, { words = [] }: Field): number {
  const word = words.indexOf(text.toLowerCase());
  if (word >= 0) return word;
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
}
