import { z } from 'zod';

/** Why a call that was refused cannot be granted from afar. */
export const NOT_GRANTABLE = {
  'no-rule': 'there is no rule for it that covers nothing more',
  characters: 'it has characters that a rule does not take literally',
  'too-long': 'it is too long to be shown whole',
  masked: 'it holds something that has to be masked, and so cannot be shown whole',
  'refused-anyway': 'it was allowed before, and refused all the same',
} as const;
export type NotGrantable = keyof typeof NOT_GRANTABLE;

const LONGEST_RULE = 300;
const LONGEST_TOOL = 100;
export const LONGEST_INPUT = 200;
export const MOST_CALLS = 4;

/**
 * A rule of the agents' command line, as narrow as there is: one command, one file, one site, or a tool without parts. Nothing
 * in it is a pattern, a list or an end of itself: no * , ( ) or \, no letters beyond ASCII, nothing a shell puts another text for.
 */
const RULE = /^(?:WebSearch|mcp__[\w-]+|(?:Bash|Edit|WebFetch)\((?! |prompt:)[\x20-\x7e]+(?<! )\))$/;
const PATTERNS = /[*,()\\`$]/;

/** What an agent may be granted for one task. */
export const toolRuleSchema = z.string().max(LONGEST_RULE).refine(isToolRule, 'expected a rule that covers one call');

/** Whether a text is a rule that may be granted. */
export function isToolRule(text: string): boolean {
  return text.length <= LONGEST_RULE && RULE.test(text) && !PATTERNS.test(text.replace(/^\w+\((.*)\)$/, '$1'));
}

const call = {
  tool: z.string().max(LONGEST_TOOL),
  /** What it was asked to do, masked and cut. */
  input: z.string().max(LONGEST_INPUT),
};

/** A call of a tool that an agent was refused: the narrowest rule that covers it, or why it has none. */
export const refusedCallSchema = z.union([
  z.strictObject({ ...call, rule: toolRuleSchema }),
  z.strictObject({ ...call, why: z.enum(Object.keys(NOT_GRANTABLE) as [NotGrantable, ...NotGrantable[]]) }),
]);
export type RefusedCall = z.infer<typeof refusedCallSchema>;

/** The rules that a yes would grant, each once. */
export function rulesOf(calls: readonly RefusedCall[] = []): readonly string[] {
  return [...new Set(calls.flatMap((each) => ('rule' in each ? [each.rule] : [])))];
}

/** The calls as facts of a notification, which are texts and numbers alone. */
export function toFacts(calls: readonly RefusedCall[] = []): Record<string, string> {
  const facts = calls.flatMap((each, index) => Object.entries(each).map(([name, text]) => [`${name}-${index}`, text]));
  return Object.fromEntries(facts) as Record<string, string>;
}

/** The calls among the facts of a notification; what is none is left out. */
export function fromFacts(facts: Readonly<Record<string, unknown>>): readonly RefusedCall[] {
  return Array.from({ length: MOST_CALLS }, (_, index) => {
    const fact = (name: string): object => {
      const value = facts[`${name}-${index}`];
      return value === undefined ? {} : { [name]: value };
    };
    return refusedCallSchema.safeParse({ ...fact('tool'), ...fact('input'), ...fact('rule'), ...fact('why') }).data;
  }).filter((each) => each !== undefined);
}
