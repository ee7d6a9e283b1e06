import type { Change, Remark } from './advice.ts';
import { type Retro, showFacts } from './style.ts';
import type { ChangeWords } from './words/sentences.ts';

/** A remark as a sentence. */
export function remarkText({ kind, facts }: Remark, { words, style }: Retro): string {
  const sentence = words.remarks[kind] as (facts: Remark['facts']) => string;
  return sentence(showFacts(facts, style));
}

/** A change, why, and its step. */
export function changeText({ kind, facts }: Change, { words, style }: Retro): ChangeWords {
  const sentences = words.changes[kind] as (facts: Change['facts']) => ChangeWords;
  return sentences(showFacts(facts, style));
}
