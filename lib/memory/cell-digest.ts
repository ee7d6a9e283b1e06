import { createHash } from 'node:crypto';
import type { Cell } from './shipped-tables.ts';

const HEX_DIGITS = 12;

/** A short mark by which two values of a column are told apart. */
export function digestOf(value: Cell | readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, HEX_DIGITS);
}
