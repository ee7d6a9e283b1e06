import { expect, test } from 'vitest';
import type { ReviewAnswer } from '../../../lib/queue/review.ts';
import { composeBody, markedHead } from '../../../scheduler/reviews/review-body.ts';
import { shaOf } from '../../support/fake-github.ts';

const FACTS = { headSha: shaOf('a1'), agent: 'cervella-reviewer', language: 'en', isDiffCut: false } as const;

function bodyOf(summary: string, findings: ReviewAnswer['findings'] = []): string {
  return composeBody({ summary, findings }, FACTS);
}

/** What stands of a summary in the body. */
function shown(summary: string): string {
  return bodyOf(summary).split('\n\n')[1].split('\n\nNothing found.')[0];
}

test('the head a review is about is read from its sign, which only its very beginning can hold', () => {
  expect(markedHead(bodyOf('Fine.'))).toBe(FACTS.headSha);
  expect(markedHead(`> ${bodyOf('Fine.')}`)).toBeUndefined();
  expect(markedHead('')).toBeUndefined();
  expect(markedHead(null)).toBeUndefined();
  expect(bodyOf(`<!-- cervellaswarm-review ${shaOf('b2')} -->`).match(/<!--/g)).toHaveLength(1);
});

const Z = '\u200b';
test.each<[text: string, expected: string]>([
  ['plain words, 100 % of them', 'plain words, 100 % of them'],
  ['@rafa and @org/team', `@${Z}rafa and @${Z}org/team`],
  ['me@example.org', `me@${Z}example.org`],
  ['closes #12 and acme/app#3 and GH-4', `closes #${Z}12 and acme/app#${Z}3 and GH${Z}-4`],
  ['https://evil.example/?q=secret', `https:${Z}//evil.example/?q=secret`],
  ['see www.evil.example', `see www${Z}.evil.example`],
  ['![x](//evil.example)', '\\!\\[x\\]\\(//evil.example\\)'],
  ['<img src=x onerror=y>', '&lt;img src=x onerror=y&gt;'],
  ['<!-- hidden -->', '&lt;\\!-- hidden --&gt;'],
  ['&lt;b&gt;', '&amp;lt;b&amp;gt;'],
  ['`code` *bold* __init__ ~~gone~~', '\\`code\\` \\*bold\\* \\_\\_init\\_\\_ \\~\\~gone\\~\\~'],
  ['\\`a', '\\\\\\`a'],
  ['# no heading', `${Z}# no heading`],
  ['- no list', `${Z}- no list`],
  ['1. no list', `${Z}1. no list`],
  ['--- no rule', `${Z}--- no rule`],
  ['    no code', 'no code'],
  ['a\u202eb\u200b\u0000\u001b[31mc', 'ab\\[31mc'],
  ['$x$', '\\$x\\$'],
])('%j has no meaning to GitHub', (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test('a suggestion stays within its fence, whatever it holds', () => {
  const body = bodyOf('Fine.', [
    { severity: 'low', file: 'a.md', problem: 'x', suggestion: 'before\n````\n@everyone\n```\nafter' },
  ]);
  expect(body).toContain('`````text\nbefore\n````\n@everyone\n```\nafter\n`````\n');
});

test('a review as long as its form allows is cut to what GitHub takes, and says so', () => {
  const finding = { severity: 'high', file: 'a', problem: '<'.repeat(2_000), suggestion: 'x'.repeat(2_000) } as const;
  const body = bodyOf(
    '*'.repeat(4_000),
    Array.from({ length: 30 }, () => finding),
  );
  expect(body.length).toBeLessThan(65_536);
  expect(body).toMatch(/… and \d+ more, cut for length\./);
});

test('that the diff was cut is said, in the language that is set', () => {
  const body = composeBody({ summary: 'Bene.', findings: [] }, { ...FACTS, language: 'it', isDiffCut: true });
  expect(body).toContain('Nessun problema trovato.');
  expect(body).toContain('solo la prima parte');
});
