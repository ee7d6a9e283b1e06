/** A moment as people read it: the day as YYYY-MM-DD and the time as HH:MM:SS, in their time zone. */
export function localTime(ms: number, timezone: string): { readonly day: string; readonly time: string } {
  // Sweden writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
  const [day, time] = format.format(ms).split(' ');
  return { day, time };
}
