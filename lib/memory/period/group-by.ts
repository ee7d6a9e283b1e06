import { MAX_LABEL_VALUES, OTHER } from '../label-names.ts';

/** Groups by a name; each group in the order of its values. */
export function groupBy<T>(values: Iterable<T>, nameOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const name = nameOf(value);
    const group = groups.get(name);
    if (group) group.push(value);
    else groups.set(name, [value]);
  }
  return groups;
}

/** The largest group first; no more of them than a label has values, the smallest of more together as `other`. */
export function largestFirst<T>(groups: ReadonlyMap<string, readonly T[]>): (readonly [string, readonly T[]])[] {
  const sorted = [...groups].sort(
    ([oneName, one], [otherName, other]) => other.length - one.length || (oneName < otherName ? -1 : 1),
  );
  if (sorted.length <= MAX_LABEL_VALUES) return sorted;
  const rest = sorted.slice(MAX_LABEL_VALUES - 1).flatMap(([, values]) => values);
  return [...sorted.slice(0, MAX_LABEL_VALUES - 1), [OTHER, rest]];
}
