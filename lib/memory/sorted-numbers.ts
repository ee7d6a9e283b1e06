/**
 * A multiset of whole numbers below 2^32 that stays sorted while numbers come and go: a million durations cost 4 MB, and a
 * quantile a walk over block sizes. Plain data, so that it can be handed from one thread to another.
 */
export interface SortedNumbers {
  count: number;
  readonly blocks: { used: number; readonly values: Uint32Array }[];
}

const BLOCK = 512;

/** The multiset of the given numbers. */
export function sortedNumbersOf(numbers: Uint32Array): SortedNumbers {
  const sorted = numbers.toSorted();
  const blocks = [];
  for (let from = 0; from < sorted.length; from += BLOCK / 2) {
    const part = sorted.subarray(from, from + BLOCK / 2);
    const values = new Uint32Array(BLOCK);
    values.set(part);
    blocks.push({ used: part.length, values });
  }
  return { count: sorted.length, blocks };
}

/** Adds one number. */
export function addNumber(set: SortedNumbers, value: number): void {
  set.count += 1;
  if (set.blocks.length === 0) set.blocks.push({ used: 0, values: new Uint32Array(BLOCK) });
  const at = Math.min(blockOf(set, value), set.blocks.length - 1);
  const block = set.blocks[at];
  const position = lowerBound(block.values, block.used, value);
  block.values.copyWithin(position + 1, position, block.used);
  block.values[position] = value;
  block.used += 1;
  if (block.used === BLOCK) split(set, at);
}

/** Removes one occurrence of a number that is in the set. */
export function removeNumber(set: SortedNumbers, value: number): void {
  const at = blockOf(set, value);
  const block = set.blocks[at];
  const position = block ? lowerBound(block.values, block.used, value) : 0;
  if (!block || block.values[position] !== value || position >= block.used) return;
  block.values.copyWithin(position, position + 1, block.used);
  block.used -= 1;
  set.count -= 1;
  if (block.used === 0) set.blocks.splice(at, 1);
}

/** The number at a place in sorted order, 0 the smallest. */
export function numberAt(set: SortedNumbers, place: number): number | undefined {
  let left = place;
  for (const block of set.blocks) {
    if (left < block.used) return block.values[left];
    left -= block.used;
  }
  return undefined;
}

/** The nearest-rank quantile: always a number that was seen, never one in between. Undefined for an empty set. */
export function quantileOf(set: SortedNumbers, quantile: number): number | undefined {
  return numberAt(set, Math.max(0, Math.ceil(quantile * set.count) - 1));
}

/** How many of the numbers are `value` or less. */
export function countUpTo(set: SortedNumbers, value: number): number {
  const at = blockOf(set, value + 1);
  let count = at < set.blocks.length ? lowerBound(set.blocks[at].values, set.blocks[at].used, value + 1) : 0;
  for (let block = 0; block < at; block += 1) count += set.blocks[block].used;
  return count;
}

/** The first block whose greatest number is not below `value`; one past the last if there is none. */
function blockOf(set: SortedNumbers, value: number): number {
  let low = 0;
  let high = set.blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { values, used } = set.blocks[middle];
    if (values[used - 1] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lowerBound(values: Uint32Array, used: number, value: number): number {
  let low = 0;
  let high = used;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function split(set: SortedNumbers, at: number): void {
  const block = set.blocks[at];
  const values = new Uint32Array(BLOCK);
  values.set(block.values.subarray(BLOCK / 2, block.used));
  set.blocks.splice(at + 1, 0, { used: block.used - BLOCK / 2, values });
  block.used = BLOCK / 2;
}
