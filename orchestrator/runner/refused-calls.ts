import { isAbsolute, normalize } from 'node:path';
import { mask } from '../../lib/mask.ts';
import {
  isToolRule,
  LONGEST_INPUT,
  MOST_CALLS,
  type NotGrantable,
  type RefusedCall,
} from '../../lib/queue/refused-call.ts';
import type { Denial } from './events.ts';

/** The field of its input that says what a tool was to do, and the rule that covers it and nothing more, or why there is none. */
interface Tool {
  readonly field: string;
  readonly ruleOf: (text: string) => { readonly rule: string } | { readonly why: NotGrantable };
}

const NO_RULE = { why: 'no-rule' } as const;
const FILE: Tool = { field: 'file_path', ruleOf: fileRule };
const TOOLS: Readonly<Record<string, Tool>> = {
  Bash: { field: 'command', ruleOf: commandRule },
  Write: FILE,
  Edit: FILE,
  MultiEdit: FILE,
  NotebookEdit: { ...FILE, field: 'notebook_path' },
  WebFetch: { field: 'url', ruleOf: siteRule },
  // The command line knows no rule for one question.
  WebSearch: { field: 'query', ruleOf: () => ({ rule: 'WebSearch' }) },
};
/** Long enough for what is shown, short enough to be masked in no time. */
const LONGEST_MASKED = 10_000;

/**
 * What an agent was refused, as a person may be asked about it: each call once, the first few. `granted` are the rules the
 * agent had already.
 */
export function describeDenials(denials: readonly Denial[], granted: readonly string[] = []): readonly RefusedCall[] {
  const calls = new Map<string, RefusedCall>();
  for (const { tool, input } of denials) {
    const { field, ruleOf } = toolOf(tool);
    const text = textOf(input, field);
    const key = `${tool} ${text}`;
    if (!calls.has(key) && calls.size < MOST_CALLS) {
      calls.set(key, { tool, input: show(text), ...judge(ruleOf(text), granted) });
    }
  }
  return [...calls.values()];
}

function toolOf(tool: string): Tool {
  if (Object.hasOwn(TOOLS, tool)) return TOOLS[tool];
  // Of these too there is a rule for the tool alone.
  return { field: '', ruleOf: () => (tool.startsWith('mcp__') ? { rule: tool } : NO_RULE) };
}

/** A rule has to be shown whole to whoever grants it, and to be taken by the command line as it stands. */
function judge(found: ReturnType<Tool['ruleOf']>, granted: readonly string[]): ReturnType<Tool['ruleOf']> {
  if (!('rule' in found)) return found;
  const { rule } = found;
  if (granted.includes(rule)) return { why: 'refused-anyway' };
  if (rule.length > LONGEST_INPUT) return { why: 'too-long' };
  if (!isToolRule(rule)) return { why: 'characters' };
  return mask(rule).text === rule ? found : { why: 'masked' };
}

/**
 * Measured with 2.1.197: a rule without a pattern covers its command to the letter, also where && || and ; join several; it
 * does not cover pipes and what runs in the background, whose parts need rules of their own.
 */
function commandRule(text: string): ReturnType<Tool['ruleOf']> {
  const command = text.trim();
  if (command === '' || /[|&]/.test(command.replace(/&&|\|\||\d?>&\d/g, ''))) return NO_RULE;
  return { rule: `Bash(${command})` };
}

/**
 * `//` begins a path from the root. Files and folders whose names begin with a dot tell other programs what to do: some of them
 * the command line refuses whatever the rules say, and nobody should grant the others in passing.
 */
function fileRule(path: string): ReturnType<Tool['ruleOf']> {
  const isPlain = isAbsolute(path) && normalize(path) === path && !path.endsWith('/') && !path.includes('/.');
  if (!isPlain) return NO_RULE;
  return /^[\w.@+/ -]+$/.test(path) ? { rule: `Edit(/${path})` } : { why: 'characters' };
}

/** A site with a name: numbers and names without a dot are the machine's own network. */
function siteRule(url: string): ReturnType<Tool['ruleOf']> {
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
  const isSite = /^https?:$/.test(protocol) && /^(?:[a-z\d-]+\.)+[a-z][a-z\d-]*$/.test(hostname);
  return isSite ? { rule: `WebFetch(domain:${hostname})` } : NO_RULE;
}

function textOf(input: unknown, field: string): string {
  const value = typeof input === 'object' && input !== null ? (input as Record<string, unknown>)[field] : undefined;
  return typeof value === 'string' ? value : JSON.stringify(input ?? {});
}

/** One line, masked before it is cut; a word that was cut before may be half a key. */
function show(text: string): string {
  const begin = text.length > LONGEST_MASKED ? text.slice(0, LONGEST_MASKED).replace(/\S*$/, '') : text;
  const line = mask(begin)
    .text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  return line.length > LONGEST_INPUT ? `${line.slice(0, LONGEST_INPUT - 1).replace(/[\ud800-\udbff]$/, '')}…` : line;
}
