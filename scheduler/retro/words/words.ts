import type { ChangeFacts, RemarkFacts } from '../advice.ts';
import type { italian } from './italian.ts';

/** A change, why, and what to do for it. */
export interface ChangeWords {
  readonly what: string;
  readonly why: string;
  readonly step: string;
}

/** A sentence for every kind of remark. */
export type RemarkSentences = { readonly [Kind in keyof RemarkFacts]: (facts: RemarkFacts[Kind]) => string };

/** What to say of every kind of change. */
export type ChangeSentences = { readonly [Kind in keyof ChangeFacts]: (facts: ChangeFacts[Kind]) => ChangeWords };

/**
 * Everything a retrospective can say, in one language. Arguments are figures, or text as it is to be shown: what comes from
 * outside has been made harmless before.
 */
export type Words = ReturnType<typeof italian>;
