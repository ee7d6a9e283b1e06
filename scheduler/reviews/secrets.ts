/** Forms of secrets that nobody has a reason to write into a review. */
const FORMS: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9][\w-]{18,}/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})/g,
  /\bglpat-[\w-]{18,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bxox[abeprs]-[\w-]{10,}/g,
  /\bAIza[\w-]{30,}/g,
  /\b\d{6,12}:[A-Za-z0-9_-]{30,}/g,
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b[a-z][a-z+.-]{1,20}:\/\/[^\s/:@]{1,100}:[^\s/@]{3,200}@/gi,
];
const SHORTEST = 8;
const REMOVED = '[removed: a secret]';

/** A text without secrets, and how many there were: those that are known here, and whatever has the form of one. */
export function scrubSecrets(
  text: string,
  known: readonly string[],
): { readonly text: string; readonly removed: number } {
  let removed = 0;
  const count = (): string => {
    removed += 1;
    return REMOVED;
  };
  let scrubbed = text;
  for (const secret of known) if (secret.length >= SHORTEST) scrubbed = scrubbed.replaceAll(secret, count);
  for (const form of FORMS) scrubbed = scrubbed.replace(form, count);
  return { text: scrubbed, removed };
}
