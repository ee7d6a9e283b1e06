import type { Check, CheckType } from '../../lib/project-checks.ts';
import type { Words } from '../words.ts';

/** `unavailable`: the check cannot be made here, which says nothing about the project. */
export type CheckState = 'up' | 'down' | 'unavailable';

/** What a check found. */
export interface CheckResult {
  readonly state: CheckState;
  /** What was found, short; of what an answer said only what is known to be harmless. */
  readonly text: Words;
  /** The same as numbers, with their units in the names. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** What a check is given besides what projects.json says. */
export interface CheckContext {
  readonly projectPath: string;
  readonly swarmDbPath: string;
  readonly backupDir: string;
  readonly nowMs: number;
  /** Aborted when its time is up, or nobody waits any more. */
  readonly signal: AbortSignal;
}

/** One way to look at a project. What it throws is an answer that cannot be had, and costs no other check. */
export type CheckFunction<T extends CheckType> = (check: Check<T>, context: CheckContext) => Promise<CheckResult>;

/** The figure that becomes a metric of its own: when a certificate ends, seconds since 1970. */
export const CERTIFICATE_EXPIRY = 'certificateExpirySeconds';

/** That figure, where a certificate says it. */
export function certificateFigures(expiresMs: number): Readonly<Record<string, number>> {
  return Number.isFinite(expiresMs) ? { [CERTIFICATE_EXPIRY]: expiresMs / 1_000 } : {};
}

/** All is as it should be. */
export const up = (text: Words, figures: Readonly<Record<string, number>> = {}): CheckResult => ({
  state: 'up',
  text,
  figures,
});
/** It is not. */
export const down = (text: Words, figures: Readonly<Record<string, number>> = {}): CheckResult => ({
  state: 'down',
  text,
  figures,
});
/** Nobody can tell from here. */
export const unavailable = (text: Words): CheckResult => ({ state: 'unavailable', text });
