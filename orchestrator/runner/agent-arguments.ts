import { reviewAnswerJsonSchema } from '../../lib/queue/review.ts';

/** What an agent is started with. Never its prompt: arguments show in `ps`, and there is a limit to their length. */
export interface AgentArguments {
  /** A UUID that we choose, so that it is known whatever happens; `isResumed` goes on with a session there is. */
  readonly session: { readonly id: string; readonly isResumed: boolean };
  /** One of those the command line knows; its own default without it. */
  readonly agent?: string | undefined;
  readonly model?: string | undefined;
  /** US dollars, for this run alone: measured, also where the session it resumes has cost something before. */
  readonly maxBudgetUsd?: number | undefined;
  /** It reads what strangers have written. */
  readonly isReview?: boolean;
  /** Rules that a person has granted this task; a review gets none of them. */
  readonly grantedTools?: readonly string[] | undefined;
}

const GIT = ['add', 'commit', 'status', 'diff', 'log', 'show', 'mv', 'rm'].map((command) => `git ${command}`);
const TESTS = [
  ...['npm test', 'npm run test', 'npm run lint', 'npm run build', 'npm run types', 'npm run typecheck'],
  ...['npx vitest', 'npx jest', 'npx tsc', 'npx eslint', 'npx biome', 'node --test'],
  ...['pytest', 'python -m pytest', 'python3 -m pytest', 'ruff check', 'mypy'],
  ...['go test', 'cargo test', 'make test'],
];

/**
 * What a trusted agent may do in its own worktree without asking; anything else is refused and shows in its result. Measured
 * with 2.1.197 and 2.1.330: `Edit(./**)` covers every tool that writes files, and only below the working directory, without
 * its .git and .claude; a command line of several parts is allowed if each part is.
 */
export const ALLOWED_TOOLS: readonly string[] = [
  ...['Read', 'Edit(./**)', 'Glob', 'Grep', 'TodoWrite', 'Task', 'Agent'],
  ...[...GIT, ...TESTS].map((command) => `Bash(${command}:*)`),
];

/**
 * What the agent of a review gets instead: eyes, and the form of its answer. Measured with 2.1.197: these two tools stay within
 * the working directory, also by links; Glob would list the names of files anywhere. No settings at all are read, and so no
 * definition of an agent: the user's may allow to read elsewhere, and an agent that lists its tools loses the one to answer with.
 */
const REVIEW_ARGUMENTS: readonly string[] = [
  ...['--tools', 'Read,Grep', '--permission-mode', 'dontAsk', '--setting-sources', ''],
  ...['--strict-mcp-config', '--disable-slash-commands'],
];

/** The arguments of one run, to come after those of the command itself. */
export function agentArguments(given: AgentArguments): string[] {
  const { session, agent, model, maxBudgetUsd, isReview = false, grantedTools = [] } = given;
  return [
    ...['-p', '--output-format', 'stream-json', '--verbose'],
    ...[session.isResumed ? '--resume' : '--session-id', session.id],
    ...(agent === undefined || isReview ? [] : ['--agent', agent]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(maxBudgetUsd === undefined ? [] : ['--max-budget-usd', formatUsd(maxBudgetUsd)]),
    ...(isReview
      ? [...REVIEW_ARGUMENTS, '--json-schema', reviewAnswerJsonSchema()]
      : ['--permission-mode', 'dontAsk', '--allowedTools', [...ALLOWED_TOOLS, ...grantedTools].join(',')]),
  ];
}

/** Never in the form 1e-7, and never 0, which the command line refuses. */
function formatUsd(usd: number): string {
  return Math.max(usd, 0.0001).toFixed(4);
}
