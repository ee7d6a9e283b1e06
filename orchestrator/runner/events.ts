import { z } from 'zod';
import { type ModelUsage, sumByModel } from './model-usage.ts';

/** A call of a tool that the agent asked for and did not get. */
export interface Denial {
  readonly tool: string;
  /** As the agent wrote it: text of outside, of any length. */
  readonly input: unknown;
}

/** The last word of a run. */
export interface ResultEvent {
  readonly kind: 'result';
  readonly subtype: string;
  readonly isError: boolean;
  /** HTTP status of the provider's refusal; the command line leaves it out for 529 and for lost connections. */
  readonly apiStatus: number | undefined;
  readonly text: string;
  readonly errors: readonly string[];
  readonly denials: readonly Denial[];
  readonly structuredOutput: unknown;
  readonly totalCostUsd: number;
  readonly turns: number;
  readonly usage: readonly ModelUsage[];
  readonly sessionId: string;
}

/** What a line of the stream says, as far as it matters here. */
export type AgentEvent =
  | { readonly kind: 'start'; readonly sessionId: string }
  | { readonly kind: 'retry'; readonly status: number | undefined }
  | { readonly kind: 'limit'; readonly status: string; readonly resetsAtMs: number | undefined }
  | MessageEvent
  | ResultEvent
  | { readonly kind: 'other' };

/** One block of something the model said; the usage is that of the whole message. */
export interface MessageEvent {
  readonly kind: 'message';
  readonly id: string;
  readonly usage: ModelUsage;
  /** Length of what this block holds: the usage of a message that is still being written says nothing of its output. */
  readonly characters: number;
  /** Why the command line wrote the message itself: `rate_limit`, `authentication_failed`, … */
  readonly apiError: string | undefined;
  readonly isOfSubAgent: boolean;
}

// Lenient throughout: one odd field must not cost the rest of what a run has to say.
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER).transform(Math.floor).catch(0);
const usd = z.number().min(0).max(1_000_000).catch(0);
const status = z.int().optional().catch(undefined);
const words = (length: number) =>
  z
    .string()
    .transform((text) => text.slice(0, length))
    .catch('');
/** Also named with the size of its context, `claude-opus-4-8[1m]`, but not everywhere. */
const model = words(200).transform((name) => name.replace(/\[\w+\]$/, ''));

const start = z.object({ session_id: words(200) });
const retry = z.object({ error_status: status });
const limit = z.object({
  rate_limit_info: z.object({ status: words(50), resetsAt: z.number().positive().optional().catch(undefined) }),
});
const message = z.object({
  message: z.object({
    id: words(200),
    model,
    content: z.array(z.unknown()).catch([]),
    usage: z
      .object({
        input_tokens: count,
        output_tokens: count,
        cache_read_input_tokens: count,
        cache_creation_input_tokens: count,
      })
      .catch({ input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }),
  }),
  error: words(50),
  parent_tool_use_id: z.unknown().optional(),
});
const used = z.object({
  inputTokens: count,
  outputTokens: count,
  cacheReadInputTokens: count,
  cacheCreationInputTokens: count,
  costUSD: usd,
});
const result = z.object({
  subtype: words(50),
  is_error: z.boolean().catch(true),
  api_error_status: status,
  result: words(20_000),
  errors: z.array(words(1_000)).catch([]),
  permission_denials: z
    .array(
      z
        .object({ tool_name: words(100), tool_input: z.unknown().optional() })
        .catch({ tool_name: 'a tool', tool_input: {} }),
    )
    .catch([]),
  structured_output: z.unknown().optional(),
  total_cost_usd: usd,
  num_turns: count,
  modelUsage: z.record(z.string(), used).catch({}),
  session_id: words(200),
});

/** The names of the tools that were refused, each once. */
export function namesOfDenied(denials: readonly Denial[]): readonly string[] {
  return [...new Set(denials.map(({ tool }) => tool))];
}

/** What a line says; `undefined` if it is no event at all. */
export function parseEvent(line: string): AgentEvent | undefined {
  const value = parseObject(line);
  if (typeof value?.type !== 'string') return undefined;
  switch (`${value.type}/${typeof value.subtype === 'string' && value.type === 'system' ? value.subtype : ''}`) {
    case 'system/init':
      return { kind: 'start', sessionId: start.parse(value).session_id };
    case 'system/api_retry':
      return { kind: 'retry', status: retry.parse(value).error_status };
    case 'rate_limit_event/':
      return parseLimit(value);
    case 'assistant/':
      return parseMessage(value);
    case 'result/':
      return parseResult(value);
    default:
      return { kind: 'other' };
  }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function parseLimit(value: unknown): AgentEvent {
  const { success, data } = limit.safeParse(value);
  if (!success) return { kind: 'other' };
  const { status: name, resetsAt } = data.rate_limit_info;
  return { kind: 'limit', status: name, resetsAtMs: resetsAt && Math.round(resetsAt * 1_000) };
}

function parseMessage(value: unknown): AgentEvent {
  const { success, data } = message.safeParse(value);
  if (!success) return { kind: 'other' };
  const { id, model: name, usage, content } = data.message;
  const tokens = {
    input: usage.input_tokens,
    output: usage.output_tokens,
    cacheRead: usage.cache_read_input_tokens,
    cacheCreation: usage.cache_creation_input_tokens,
  };
  return {
    kind: 'message',
    id,
    usage: { model: name, tokens },
    characters: content.reduce((sum: number, block) => sum + contentOf(block).length, 0),
    apiError: data.error || undefined,
    isOfSubAgent: typeof data.parent_tool_use_id === 'string',
  };
}

/** What the model wrote of a block: text, thought, or the input of a tool. */
function contentOf(block: unknown): string {
  const { text, thinking, input } = (block ?? {}) as Record<string, unknown>;
  if (typeof text === 'string') return text;
  return typeof thinking === 'string' ? thinking : JSON.stringify(input ?? '');
}

function parseResult(value: unknown): AgentEvent {
  const data = result.parse(value);
  const usage = Object.entries(data.modelUsage).map(([name, each]) => ({
    model: model.parse(name),
    costUsd: each.costUSD,
    tokens: {
      input: each.inputTokens,
      output: each.outputTokens,
      cacheRead: each.cacheReadInputTokens,
      cacheCreation: each.cacheCreationInputTokens,
    },
  }));
  return {
    kind: 'result',
    subtype: data.subtype,
    isError: data.is_error,
    apiStatus: data.api_error_status,
    text: data.result,
    errors: data.errors.slice(0, 20),
    denials: data.permission_denials.slice(0, 20).map(({ tool_name: tool, tool_input: input }) => ({ tool, input })),
    structuredOutput: data.structured_output,
    totalCostUsd: data.total_cost_usd,
    turns: data.num_turns,
    usage: sumByModel(usage).slice(0, 20),
    sessionId: data.session_id,
  };
}
