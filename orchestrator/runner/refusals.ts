import type { Outcome } from '../../lib/queue/outcome.ts';

/** What is known of an error that the provider, or the way there, answered with. */
export interface Refusal {
  readonly status: number | undefined;
  /** The command line's own word for it. */
  readonly code: string | undefined;
  readonly text: string;
}

interface Rule {
  readonly outcome: Outcome;
  readonly codes: readonly string[];
  readonly isStatus: (status: number) => boolean;
  /** Older versions have no codes, and both leave out the status of some. */
  readonly text: RegExp;
  readonly remedy: string;
}

const LOG_IN =
  'Log in: run `claude` once as the user who runs the orchestrator; or correct ANTHROPIC_API_KEY if AGENT_AUTH=api-key. Then retry the task.';

/** The first that fits. No credit is a matter of the account, not of a task's budget; it comes as a status 400. */
const RULES: readonly Rule[] = [
  {
    outcome: 'auth',
    codes: ['billing_error'],
    isStatus: (status) => status === 402,
    text: /credit balance is too low/i,
    remedy: 'The account that pays has no credit: buy some, or let another pay (AGENT_AUTH). Then retry the task.',
  },
  {
    outcome: 'rate-limited',
    codes: ['rate_limit'],
    isStatus: (status) => status === 429,
    text: /hit your .{1,40}limit|usage limit reached/i,
    remedy: '',
  },
  {
    outcome: 'auth',
    codes: ['authentication_failed', 'oauth_org_not_allowed'],
    isStatus: (status) => status === 401 || status === 403,
    text: /not logged in|invalid api key|run \/login|failed to authenticate/i,
    remedy: LOG_IN,
  },
  {
    outcome: 'bad-request',
    codes: ['invalid_request', 'model_not_found'],
    isStatus: (status) => status >= 400 && status < 500 && status !== 408 && status !== 409,
    text: /prompt is too long|request too large/i,
    remedy: 'Correct the task (its prompt, agent or model) and retry it.',
  },
  {
    outcome: 'overloaded',
    codes: ['overloaded', 'server_error'],
    isStatus: (status) => status >= 500 || status === 408 || status === 409,
    // A provider that cannot be reached is as good as overloaded: wait, then try again.
    text: /overloaded|unable to connect|connection (?:error|refused|closed|reset)|timed out|ECONN|ENOTFOUND/i,
    remedy: '',
  },
];

/** What a refusal makes of a run; `crashed` if nobody knows it. The status says most, then the code, then the text. */
export function judgeRefusal({ status, code, text }: Refusal): { readonly outcome: Outcome; readonly remedy: string } {
  const rule =
    RULES.find(({ codes }) => code === 'billing_error' && codes.includes(code)) ??
    RULES.find((each) => each.text.test(text.slice(0, 2_000)) && isAmbiguous(status)) ??
    RULES.find(({ isStatus }) => status !== undefined && isStatus(status)) ??
    RULES.find(({ codes }) => code !== undefined && codes.includes(code));
  return rule ?? { outcome: 'crashed', remedy: 'See its log: swarm trace.' };
}

/** A 400 may be a matter of credit; without a status the text knows best. */
function isAmbiguous(status: number | undefined): boolean {
  return status === undefined || status === 400;
}
