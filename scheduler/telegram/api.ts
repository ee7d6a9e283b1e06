/** What went wrong with a request to Telegram; never its address, which holds the token. */
export class TelegramError extends Error {
  /**
   * `refused`: the Bot API said no, so nothing was done. `unreachable`: nothing was sent. `unsure`: it was sent, and what
   * became of it nobody knows.
   */
  readonly kind: 'refused' | 'unreachable' | 'unsure';
  /** What the Bot API called it; undefined if it said nothing. */
  readonly code: number | undefined;
  /** When to ask again, if it said so, milliseconds from now. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    facts: { readonly kind: TelegramError['kind']; readonly code?: number; readonly retryAfterMs?: number },
  ) {
    super(message);
    this.name = 'TelegramError';
    this.kind = facts.kind;
    this.code = facts.code;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** A request: its parameters, and files by the name of their parameter. */
export interface Request {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly file?: { readonly param: string; readonly name: string; readonly bytes: Uint8Array };
  /** How long an answer may take. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Asks Telegram's Bot API. @throws TelegramError, or the reason of an aborted signal. */
export type BotApi = <Answer>(request: Request) => Promise<Answer>;

/** Where the Bot API is and who asks. */
export interface BotAddress {
  readonly apiUrl: string;
  readonly token: string;
}

const TIMEOUT_MS = 15_000;
/** With these nothing has left this machine. */
const NOT_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|ERR_TLS)/;

/** A client of the Bot API. It asks once: who wants to ask again knows from the error whether that may do it twice. */
export function createBotApi({ apiUrl, token }: BotAddress): BotApi {
  return async <Answer>({ method, params = {}, file, timeoutMs = TIMEOUT_MS, signal }: Request): Promise<Answer> => {
    const signals = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
    const request = { method: 'POST', redirect: 'error' as const, signal: AbortSignal.any(signals) };
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${apiUrl}/bot${token}/${method}`, { ...request, ...body(params, file) });
      status = response.status;
      text = await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      throw explainSilence(method, error);
    }
    return readAnswer<Answer>(method, status, text);
  };
}

function body(params: Request['params'], file: Request['file']): RequestInit {
  if (!file) return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(params) };
  const form = new FormData();
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value !== undefined) form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  form.set(file.param, new Blob([new Uint8Array(file.bytes)]), file.name);
  return { body: form };
}

interface Envelope {
  readonly ok?: unknown;
  readonly result?: unknown;
  readonly description?: unknown;
  readonly error_code?: unknown;
  readonly parameters?: { readonly retry_after?: unknown };
}

function readAnswer<Answer>(method: string, status: number, text: string): Answer {
  const answer = parse(text);
  if (answer?.ok === true) return answer.result as Answer;
  if (answer?.ok !== false) {
    // A proxy in between: it may have passed the request on.
    throw new TelegramError(`Could not ${method}: something answered ${status} that is not the Bot API.`, {
      kind: 'unsure',
      code: status,
    });
  }
  const seconds = Number(answer.parameters?.retry_after ?? (status === 429 ? 1 : Number.NaN));
  throw new TelegramError(`Could not ${method}: ${String(answer.description ?? status).slice(0, 200)}.`, {
    kind: 'refused',
    code: Number(answer.error_code ?? status),
    ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {}),
  });
}

function parse(text: string): Envelope | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function explainSilence(method: string, error: unknown): TelegramError {
  const { name, cause } = error as Error & { cause?: { code?: string } };
  const reason = name === 'TimeoutError' ? 'it did not answer in time' : (cause?.code ?? 'the connection broke');
  const kind = cause?.code !== undefined && NOT_SENT.test(cause.code) ? 'unreachable' : 'unsure';
  return new TelegramError(`Could not ${method}: ${reason}.`, { kind });
}
