/**
 * Whether a moment is within hours such as 22:30-08:00, by the clock on the wall of a time zone; they may pass midnight. Two
 * equal times are no hours at all.
 */
export function isQuiet(nowMs: number, quietHours: string, timezone: string): boolean {
  const [from, to] = quietHours.split('-').map(toMinutes);
  const now = minutesOfDay(nowMs, timezone);
  return from <= to ? now >= from && now < to : now >= from || now < to;
}

function toMinutes(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function minutesOfDay(ms: number, timezone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return toMinutes(format.format(ms));
}
