import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

/** A Lua script that Redis runs at once. */
export type Script = (redis: Redis, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** Makes a script; its text travels only to a Redis that does not know it yet. */
export function createScript(lua: string): Script {
  const sha = createHash('sha1').update(lua).digest('hex');
  return async (redis, keys, args) => {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await redis.eval(lua, keys.length, ...keys, ...args);
    }
  };
}

/** One of several things that Redis does at once: see `runSteps`. */
export interface Step<Answer = unknown> {
  /** Which of the texts of all steps it runs. */
  readonly text: number;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  readonly read: (answer: unknown) => Answer;
}

/**
 * Makes steps of a Lua text, in which KEYS and ARGV are those of the step alone. One that returns false is the last that is
 * run; `read` turns any other answer into a value.
 */
export function createStep<Answer>(
  lua: string,
  read: (answer: unknown) => Answer,
): (keys: readonly string[], args: readonly (string | number)[]) => Step<Answer> {
  const text = TEXTS.push(lua) - 1;
  return (keys, args) => ({ text, keys, args, read });
}

const TEXTS: string[] = [];

/** The same step, whose answer is read further. */
export function readAs<One, Other>(step: Step<One>, further: (answer: One) => Other): Step<Other> {
  return { ...step, read: (answer) => further(step.read(answer)) };
}

/** The answers to steps, in their order; undefined from the one that returned false. */
type Answers<Steps extends readonly Step[]> = {
  [Index in keyof Steps]: Steps[Index] extends Step<infer Answer> ? Answer | undefined : never;
};

/** Runs steps as one script, up to the first that returns false: nobody comes between them, and no crash does. */
export async function runSteps<Steps extends readonly Step[]>(redis: Redis, ...steps: Steps): Promise<Answers<Steps>> {
  const keys = steps.flatMap((step) => step.keys);
  const args = steps.flatMap((step) => step.args);
  const answers = (await scriptOf(steps)(redis, keys, args)) as unknown[];
  return steps.map(({ read }, index) => (index < answers.length ? read(answers[index]) : undefined)) as Answers<Steps>;
}

/** A script for each sequence of steps there is in the code: some ten. */
const COMPOSED = new Map<string, Script>();

function scriptOf(steps: readonly Step[]): Script {
  const name = steps.map(({ text, keys, args }) => `${text}/${keys.length}/${args.length}`).join();
  const known = COMPOSED.get(name);
  if (known) return known;
  const script = createScript(compose(steps));
  COMPOSED.set(name, script);
  return script;
}

function compose(steps: readonly Step[]): string {
  let [key, arg] = [0, 0];
  const list = (name: string, count: number, first: number): string =>
    `{${Array.from({ length: count }, (_, index) => `${name}[${first + index}]`).join(',')}}`;
  const lines = steps.map(({ text, keys, args }, index) => {
    const call = `step(${list('KEYS', keys.length, key + 1)}, ${list('ARGV', args.length, arg + 1)})`;
    key += keys.length;
    arg += args.length;
    return `do
local function step(KEYS, ARGV)
${TEXTS[text]}
end
local answer = ${call}
if answer == false then return answers end
answers[${index + 1}] = answer or ''
end`;
  });
  return ['local answers = {}', ...lines, 'return answers'].join('\n');
}
