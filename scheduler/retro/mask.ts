const MASK = '[***]';

/** Shapes of what must not be shown; what is before the mask is kept. */
const SHAPES: readonly RegExp[] = [
  /()-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /()\b\d{6,12}:[\w-]{30,}/g,
  /()\b(?:sk-|gh[pousr]_|github_pat_|glpat-|npm_|xox[abeoprs]-|AIza|[rsp]k_(?:live|test)_)[\w-]{10,}/g,
  /()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /()\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /(\b(?:bearer|basic)\s+)[\w.~+/=-]{12,}/gi,
  /(:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g,
  /(\b[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key)["']?\s*[:=]\s*["']?)[^\s"',;&[]{4,}/gi,
  /()[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g,
];

/** A text without keys, tokens, passwords and e-mail addresses, as far as their shapes tell. */
export function mask(text: string): { readonly text: string } {
  return { text: SHAPES.reduce((rest, shape) => rest.replace(shape, `$1${MASK}`), text) };
}
