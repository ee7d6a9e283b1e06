import type { ChangeFacts, RemarkFacts } from '../advice.ts';

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
