import { expect, test } from 'vitest';
import { scrubAnswer } from '../../../scheduler/reviews/scrub-answer.ts';

/** Put together here, so that nothing in this file has the form of a secret. */
const join = (...parts: readonly string[]): string => parts.join('');
const SIX = 'Ab1cD2';

test.each<[what: string, secret: string]>([
  ["a key of the model's provider", join('sk-', 'ant-api03-', SIX.repeat(5))],
  ['a token of GitHub', join('ghp', '_', SIX.repeat(6))],
  ['a fine-grained token of GitHub', join('github', '_pat_', SIX.repeat(6))],
  ['a token of a bot', join('123456789', ':', SIX.repeat(6))],
  ['a key of AWS', join('AK', 'IA', 'ABCDEFGHIJKLMNOP')],
  ['a token of Slack', join('xo', 'xb-', '12345678901')],
  ['a web token', join('ey', 'J', SIX.repeat(3), '.ey', 'J', SIX.repeat(3), '.', SIX.repeat(3))],
  ['a private key', join('-----BEGIN RSA PRIV', 'ATE KEY-----\nMIIE\n', '-----END RSA PRIV', 'ATE KEY-----')],
  ['the beginning of a private key', join('-----BEGIN PRIV', 'ATE KEY-----\nMIIE')],
  ['a password in an address', 'postgres://user:hunter22@'],
  ['a secret of ours', 'correct horse battery'],
])('%s is taken out, wherever it stands and whatever hides in it', (_, secret) => {
  const hidden = `${secret.slice(0, 4)}\u200b${secret.slice(4)}`;
  const { answer, removed } = scrubAnswer(
    {
      summary: `a ${secret} b`,
      findings: [{ severity: 'low', file: `f ${secret}`, line: 3, problem: `p ${hidden}`, suggestion: `s ${secret}` }],
    },
    ['correct horse battery', 'short'],
  );
  expect(removed).toBe(4);
  expect(JSON.stringify(answer)).not.toContain(JSON.stringify(secret).slice(1, -1));
  expect(answer.summary).toMatch(/^a \[removed: a secret\]/);
  expect(answer.findings[0]).toMatchObject({ severity: 'low', line: 3 });
});

test('what only looks a little like one stays', () => {
  const answer = {
    summary: 'a short sk-8 ghp_x https://example.org/a@b 12:30 AKIAx, commit da39a3ee5e6b4b0d3255bfef95601890afd80709',
    findings: [],
  };
  expect(scrubAnswer(answer, ['short'])).toEqual({ answer, removed: 0 });
});
