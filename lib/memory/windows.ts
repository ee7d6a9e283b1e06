/** The sliding windows every figure is given for, shortest first (design.md). */
export const WINDOWS = [
  { name: '1h', ms: 3_600_000 },
  { name: '24h', ms: 86_400_000 },
  { name: '7d', ms: 7 * 86_400_000 },
  { name: '30d', ms: 30 * 86_400_000 },
] as const;

export const WINDOWS_MS: readonly number[] = WINDOWS.map((window) => window.ms);
export const DAY_MS = 86_400_000;
/** The window of the KPIs, and its place in WINDOWS. */
export const WEEK = 2;
export const WEEK_MS = WINDOWS[WEEK].ms;
/** KPI baselines look at the 28 days before the week. */
export const BASELINE_MS = 28 * DAY_MS;

/** The same windows with another length for the one of the KPIs. */
export function windowsOfDays(days: number): readonly number[] {
  return WINDOWS_MS.with(WEEK, days * DAY_MS);
}

/** How far back something is needed with its time. */
export function horizonOf(windowsMs: readonly number[]): number {
  return Math.max(windowsMs[WEEK] + BASELINE_MS, ...windowsMs);
}
