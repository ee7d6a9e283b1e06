import type { ReviewAnswer } from '../../lib/queue/review.ts';

/** What people read around an agent's words. */
const WORDS = {
  it: {
    title: 'Revisione automatica',
    of: 'di',
    high: 'grave',
    medium: 'media',
    low: 'lieve',
    nothing: 'Nessun problema trovato.',
    more: (count: number) => `… e altri ${count}, tagliati per lunghezza.`,
    cut: 'Il diff era troppo lungo: ne è stata letta solo la prima parte.',
    note: 'Scritta da un agente, che può sbagliare; si aggiorna a ogni nuovo commit.',
  },
  en: {
    title: 'Automatic review',
    of: 'by',
    high: 'high',
    medium: 'medium',
    low: 'low',
    nothing: 'Nothing found.',
    more: (count: number) => `… and ${count} more, cut for length.`,
    cut: 'The diff was too long: only its first part was read.',
    note: 'Written by an agent, which can be wrong; it follows every new commit.',
  },
} as const;

type Finding = ReviewAnswer['findings'][number];

/** GitHub takes 65,536 characters. */
const LONGEST_FINDINGS = 40_000;
/** Between two characters it is not seen, and what they would have meant to GitHub they mean no more. */
const BREAK = '\u200b';

/** What a review says besides the agent's answer. */
export interface ReviewFacts {
  readonly headSha: string;
  readonly agent: string;
  readonly language: 'it' | 'en';
  readonly isDiffCut: boolean;
}

/** The hidden sign by which a review of ours is found again, whoever died in between. */
export function markerOf(headSha: string): string {
  return `<!-- cervellaswarm-review ${headSha} -->`;
}

/** The head that a review of ours is about; undefined if it is none of ours. */
export function markedHead(body: string | null | undefined): string | undefined {
  return /^<!-- cervellaswarm-review ([\da-f]{40,64}) -->/.exec(body ?? '')?.[1];
}

/** An answer as GitHub is given it. Nothing an agent wrote is markup there, calls anybody, or leads anywhere. */
export function composeBody(answer: ReviewAnswer, { headSha, agent, language, isDiffCut }: ReviewFacts): string {
  const words = WORDS[language];
  const lines = [
    markerOf(headSha),
    `### ${words.title} ${words.of} ${plain(agent, 100)} · \`${headSha.slice(0, 7)}\``,
    '',
    paragraphs(answer.summary),
    '',
    ...listFindings(answer.findings, language),
    ...(isDiffCut ? ['', `_${words.cut}_`] : []),
    '',
    `<sub>${words.note}</sub>`,
  ];
  return `${lines.join('\n')}\n`;
}

function listFindings(findings: readonly Finding[], language: 'it' | 'en'): readonly string[] {
  const words = WORDS[language];
  if (findings.length === 0) return [words.nothing];
  const items: string[] = [];
  let length = 0;
  for (const finding of findings) {
    const item = describeFinding(finding, words[finding.severity]);
    length += item.length;
    if (length > LONGEST_FINDINGS) return [...items, words.more(findings.length - items.length)];
    items.push(item);
  }
  return items;
}

function describeFinding({ file, line, problem, suggestion }: Finding, severity: string): string {
  const where = `${plain(file, 300)}${line === undefined ? '' : `, ${line}`}`;
  const head = `**${severity}** · ${where}\n\n${paragraphs(problem)}\n`;
  return suggestion === undefined ? head : `${head}\n${fenced(suggestion)}\n`;
}

/** One line without any meaning to GitHub. */
function plain(text: string, length: number): string {
  return inert(clean(text).replace(/\s+/g, ' ').trim().slice(0, length));
}

/** The same with its paragraphs. */
function paragraphs(text: string): string {
  const kept = clean(text)
    .split('\n')
    .map((line) => inert(line.trim()));
  return kept
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** In a fence longer than any within it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${clean(text).trim()}\n${fence}`;
}

/** Without what moves a cursor, turns a line round or is not seen. */
export function clean(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\S\n]/g, ' ')
    .replace(/(?!\n)[\p{Cc}\p{Cf}\p{Co}]/gu, '');
}

/**
 * Markup and HTML are escaped. Mentions, numbers of issues and addresses GitHub finds in what is left, whatever is escaped:
 * those are broken by a character that is not seen.
 */
function inert(line: string): string {
  return line
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]()!|~$]/g, '\\$&')
    .replace(/^([-+=#]|\d+(?=[.)]))/, `${BREAK}$1`)
    .replace(/@/g, `@${BREAK}`)
    .replace(/#(?=\w)/g, `#${BREAK}`)
    .replace(/\bGH-(?=\d)/gi, `GH${BREAK}-`)
    .replace(/:\/\//g, `:${BREAK}//`)
    .replace(/\bwww\./gi, `www${BREAK}.`);
}
