import type { Log } from '../../lib/log.ts';
import type { MonitorDb } from '../monitor-db.ts';
import type { Settings } from '../settings.ts';
import type { Words } from '../words.ts';

/** How often the deployment guide has something done, shortest first. */
export const PERIODS = ['daily', 'weekly', 'monthly', 'quarterly'] as const;
export type Period = (typeof PERIODS)[number];

/** What came of a task that is done by itself. `unavailable`: it could not be done here. */
export interface Finding {
  readonly state: 'ok' | 'attention' | 'unavailable';
  /** One line: what was found. */
  readonly text: Words;
  /** What later runs compare with. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** What a task works with. */
export interface WorkContext {
  readonly settings: Settings;
  readonly db: MonitorDb;
  readonly log: Log;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** What a figure of this task was, as the newest run at least so many days ago found it. */
  readonly earlier: (figure: string, daysAgo: number) => number | undefined;
}

/** Something that is done regularly, by the scheduler itself or by a person. */
export type MaintenanceTask = {
  readonly id: string;
  readonly every: Period;
  /** What is done; for a person, what to do, short enough for a button. */
  readonly words: Words;
  /** Where what came of it can be seen: a metric, a dashboard, an alert, a message. */
  readonly seenIn: string;
} & ({ readonly by: 'itself'; readonly work: (context: WorkContext) => Promise<Finding> } | { readonly by: 'person' });

/** Nothing that anybody need know. */
export const ok = (text: Words, figures: Readonly<Record<string, number>> = {}): Finding => ({
  state: 'ok',
  text,
  figures,
});
/** A person is told. */
export const attention = (text: Words, figures: Readonly<Record<string, number>> = {}): Finding => ({
  state: 'attention',
  text,
  figures,
});
/** It could not be done here. */
export const notHere = (text: Words): Finding => ({ state: 'unavailable', text });
