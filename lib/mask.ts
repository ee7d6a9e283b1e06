/** What is put in the place of something nobody else should read. */
export const MASK = '[***]';

interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  /** Keys and tokens: that one nearly got out is counted. */
  readonly isSecret?: true;
  readonly isMatch?: (found: string) => boolean;
}

/** What is masked, in this order. The figures of prices, times and ids look like none of it. */
export const RULES: readonly Rule[] = [
  {
    name: 'private key',
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    isSecret: true,
  },
  { name: 'Telegram token', pattern: /\b\d{6,12}:[\w-]{30,}/g, isSecret: true },
  { name: 'Anthropic or OpenAI key', pattern: /\bsk-[\w-]{16,}/g, isSecret: true },
  { name: 'GitHub token', pattern: /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,})/g, isSecret: true },
  { name: 'GitLab token', pattern: /\bglpat-[\w-]{16,}/g, isSecret: true },
  { name: 'Slack token', pattern: /\bxox[abeoprs]-[\w-]{10,}/g, isSecret: true },
  { name: 'Slack webhook', pattern: /\bhooks\.slack\.com\/services\/[\w/]+/g, isSecret: true },
  { name: 'AWS key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, isSecret: true },
  { name: 'Google key', pattern: /\bAIza[\w-]{30,}/g, isSecret: true },
  { name: 'Stripe key', pattern: /\b[rsp]k_(?:live|test)_\w{16,}/g, isSecret: true },
  { name: 'npm token', pattern: /\bnpm_\w{30,}/g, isSecret: true },
  { name: 'JSON web token', pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, isSecret: true },
  { name: 'bearer', pattern: /(?<=\b(?:Bearer|Basic)\s)[\w.~+/=-]{12,}/gi, isSecret: true },
  { name: 'password in an address', pattern: /(?<=:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g, isSecret: true },
  {
    name: 'assignment',
    pattern:
      /(?<=\b[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key)["']?\s*[:=]\s*["']?)[^\s"',;&[]{4,}/gi,
    isSecret: true,
  },
  // As long as the first part may be: without a limit a long word without blanks, such as encoded data, takes half a second.
  { name: 'e-mail address', pattern: /[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+/g },
  { name: 'bank account', pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g },
  { name: 'card', pattern: /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)/g, isMatch: passesLuhn },
  { name: 'phone number', pattern: /(?<![\w.])(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{2,4}\)?){2,5}(?!\w)/g },
  { name: 'Italian mobile number', pattern: /(?<![\w.,-])3\d{2}[ ./-]?\d{3}[ ./-]?\d{3,4}(?![\w,-]|\.\d)/g },
  { name: 'Italian landline', pattern: /(?<![\w.,:-])0\d{1,3}[ ./-]\d{5,8}(?![\w,-]|\.\d)/g },
];

/** A text without keys, tokens, e-mail addresses, phone, card and account numbers, and whether there was a secret in it. */
export function mask(text: string): { readonly text: string; readonly hadSecret: boolean } {
  let hadSecret = false;
  const masked = RULES.reduce(
    (rest, { pattern, isSecret, isMatch }) =>
      rest.replace(pattern, (found) => {
        if (isMatch && !isMatch(found)) return found;
        if (isSecret) hadSecret = true;
        return MASK;
      }),
    text,
  );
  return { text: masked, hadSecret };
}

/** The check digit that card numbers have. */
function passesLuhn(found: string): boolean {
  const digits = [...found.replace(/\D/g, '')].map(Number).reverse();
  const sum = digits.reduce((total, digit, place) => {
    const value = place % 2 === 1 ? digit * 2 : digit;
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
