/** The sliding windows every figure is given for, shortest first (design.md). */
export const WINDOWS = [
  { name: '1h', ms: 3_600_000 },
  { name: '24h', ms: 86_400_000 },
  { name: '7d', ms: 7 * 86_400_000 },
  { name: '30d', ms: 30 * 86_400_000 },
] as const;

export const WINDOWS_MS = WINDOWS.map((window) => window.ms);
export const DAY_MS = 86_400_000;
/** The window of the KPIs, and its place in WINDOWS. */
export const WEEK = 2;
export const WEEK_MS = WINDOWS[WEEK].ms;
/** KPI baselines look at the 28 days before the week: nothing older is needed with its time. */
export const HORIZON_MS = WEEK_MS + 28 * DAY_MS;
