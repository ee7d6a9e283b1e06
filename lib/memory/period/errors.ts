import type { ErrorFigures } from '../error-figures.ts';
import { errorSignature } from '../error-signature.ts';
import type { Kept } from '../kept.ts';
import { toLabelValue } from '../label-names.ts';
import { textHash } from '../text-hash.ts';
import { groupBy } from './group-by.ts';

/** Errors of a period that are the same but for names and numbers. */
export interface ErrorKind {
  readonly signature: string;
  readonly count: number;
  /** The message of the last one, cut. */
  readonly example: string;
  /** Whom it happened to, most often first; not all of many. */
  readonly agents: readonly string[];
  /** Never seen before the period. */
  readonly isNew: boolean;
}

/** All errors of a period: those of tasks, and of attempts that were tried again. */
export interface ErrorsOfPeriod {
  readonly count: number;
  readonly kindCount: number;
  readonly repeatedKindCount: number;
  /** The most frequent kinds. */
  readonly kinds: readonly ErrorKind[];
}

interface ErrorSeen {
  readonly message: string;
  readonly signature: string;
  readonly agent: string;
  readonly timeMs: number;
}

const MOST_KINDS = 200;
const MOST_AGENTS = 5;
const LONGEST_TEXT = 1_000;

/** Groups the errors of a period by their signature, the most frequent first, of equally frequent ones the latest. */
export function errorsOf(kept: Kept, { firstSeenMs }: ErrorFigures): ErrorsOfPeriod {
  const seen = [
    ...[...kept.tasks].map(({ errorMessage, agent, timeMs }) => toError(errorMessage, agent, timeMs)),
    ...kept.retries.map(({ errorMessage, agentName, timeMs }) => toError(errorMessage, agentName, timeMs)),
  ].flatMap((error) => error ?? []);
  const groups = [...groupBy(seen, ({ signature }) => signature)].map(
    ([signature, errors]) => [signature, errors.toSorted((one, other) => other.timeMs - one.timeMs)] as const,
  );
  groups.sort(([, one], [, other]) => other.length - one.length || other[0].timeMs - one[0].timeMs);
  return {
    count: seen.length,
    kindCount: groups.length,
    repeatedKindCount: groups.filter(([, errors]) => errors.length > 1).length,
    kinds: groups.slice(0, MOST_KINDS).map(([signature, errors]) => ({
      signature: signature.slice(0, LONGEST_TEXT),
      count: errors.length,
      example: errors[0].message.slice(0, LONGEST_TEXT),
      agents: namesByFrequency(errors),
      isNew: (firstSeenMs.get(textHash(signature)) ?? Number.NEGATIVE_INFINITY) > kept.afterMs,
    })),
  };
}

function toError(message: string | undefined, agent: string | undefined, timeMs = 0): ErrorSeen | undefined {
  if (message === undefined) return undefined;
  return { message, signature: errorSignature(message), agent: toLabelValue(agent ?? ''), timeMs };
}

function namesByFrequency(errors: readonly ErrorSeen[]): readonly string[] {
  return [...groupBy(errors, ({ agent }) => agent)]
    .sort(([, one], [, other]) => other.length - one.length)
    .slice(0, MOST_AGENTS)
    .map(([agent]) => agent);
}
