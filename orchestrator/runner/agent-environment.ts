import { readFileSync } from 'node:fs';
import type { Environment } from '../../lib/config.ts';
import { UsageError } from '../../lib/errors.ts';

/** Which account pays: the one the command line is logged in with, or that of an API key. */
export type AgentAuth = 'login' | 'api-key';

/** Everything an agent gets of our environment. What is not listed, above all every secret, stays here. */
const PASSED_ON = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'TZ', 'TMPDIR', 'TERM'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['CLAUDE_CONFIG_DIR', 'ANTHROPIC_BASE_URL'],
]);
const PASSED_ON_PREFIXES = ['LC_', 'XDG_'];
const SETTINGS = {
  // By default it retries for minutes; waiting is for the queue, which starts other work meanwhile.
  CLAUDE_CODE_MAX_RETRIES: '2',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
};

/**
 * The environment an agent is started with, but for the markers of its run. Who pays is never left to chance: a key in the
 * environment would silently be preferred to the login.
 * @throws UsageError if a key is there and nobody said who pays, or if the key is to pay and is missing.
 */
export function agentEnvironment(options: {
  readonly environment: Environment;
  readonly auth: AgentAuth | undefined;
}): Record<string, string> {
  const { environment, auth } = options;
  const passedOn = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isPassedOn(entry[0]),
  );
  return { ...Object.fromEntries(passedOn), ...SETTINGS, ...payer(environment, auth) };
}

function isPassedOn(variable: string): boolean {
  return PASSED_ON.has(variable) || PASSED_ON_PREFIXES.some((prefix) => variable.startsWith(prefix));
}

function payer(environment: Environment, auth: AgentAuth | undefined): Record<string, string> {
  const hasKey = Boolean(environment.ANTHROPIC_API_KEY || environment.ANTHROPIC_API_KEY_FILE);
  if (auth === 'login' || (auth === undefined && !hasKey)) return {};
  if (auth === undefined) {
    throw new UsageError(
      'Could not tell which account pays for agents: there is an ANTHROPIC_API_KEY, and AGENT_AUTH is not set.',
      'Set AGENT_AUTH=api-key to bill the key, or AGENT_AUTH=login to use the account Claude Code is logged in with.',
    );
  }
  return { ANTHROPIC_API_KEY: readKey(environment) };
}

function readKey({ ANTHROPIC_API_KEY: key, ANTHROPIC_API_KEY_FILE: file }: Environment): string {
  const hint = 'Set ANTHROPIC_API_KEY or ANTHROPIC_API_KEY_FILE, or AGENT_AUTH=login.';
  if (key) return key;
  if (!file) throw new UsageError('Could not let the API key pay for agents: there is none.', hint);
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text !== '') return text;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new UsageError(`Could not read the file of ANTHROPIC_API_KEY_FILE: ${reason}.`, hint, { cause: error });
  }
  throw new UsageError('Could not let the API key pay for agents: the file of ANTHROPIC_API_KEY_FILE is empty.', hint);
}
