import { expect, test } from 'vitest';
import { trustedLink } from '../../../scheduler/reviews/review-link.ts';

test.each([
  ['https://github.com/a/b/pull/1#pullrequestreview-2', 'https://api.github.com'],
  ['https://acme.ghe.com/a/b/pull/1', 'https://api.acme.ghe.com'],
  ['https://git.acme.example/a/b/pull/1', 'https://git.acme.example/api/v3'],
  ['https://api.acme.example:8443/a/b/pull/1', 'http://api.acme.example:8443'],
])('%s is where people read what %s has', (url, api) => {
  expect(trustedLink(url, api)).toBe(url);
});

test.each([
  ['http://github.com/a/b/pull/1', 'another protocol'],
  ['javascript:alert(1)//github.com', 'another protocol'],
  ['tg://resolve?domain=github.com', 'another protocol'],
  ['https://api.github.com/a', 'the API itself'],
  ['https://github.com.evil.example/a', 'another host'],
  ['https://evil.example/github.com', 'another host'],
  ['https://github.com:8443/a', 'another port'],
  ['https://github.com@evil.example/a', 'another host'],
  ['https://user:word@github.com/a', 'a password'],
  [`https://github.com/${'a'.repeat(600)}`, 'too long'],
  ['github.com/a', 'no address'],
])('%s is not: %s', (url) => {
  expect(trustedLink(url, 'https://api.github.com')).toBeUndefined();
});

test('what could end an attribute is written so that it does not', () => {
  const link = trustedLink('https://github.com/a"><b>/pull', 'https://api.github.com');
  expect(link).not.toMatch(/["<>]/);
});
