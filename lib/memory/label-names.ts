/** Names that may become label values: the first ones seen keep their own, all later ones share `other`. */
export interface LabelNames {
  readonly names: string[];
  readonly indexes: Map<string, number>;
}

/** `other` included, no label of ours takes more values than this (design.md). */
export const MAX_LABEL_VALUES = 50;
export const OTHER = 'other';
const MAX_LABEL_LENGTH = 100;

/** An empty set of names; index 0 is `other`. */
export function createLabelNames(): LabelNames {
  return { names: [OTHER], indexes: new Map([[OTHER, 0]]) };
}

/**
 * The index of a name. First come, first served, so that a name never moves to another series while we run; control
 * characters become blanks and long names are cut, since this is text from outside.
 */
export function labelIndex(labels: LabelNames, name: string): number {
  const known = labels.indexes.get(name);
  if (known !== undefined) return known;
  const label = toLabelValue(name);
  const same = labels.indexes.get(label);
  if (same !== undefined) return same;
  if (labels.names.length >= MAX_LABEL_VALUES) return 0;
  labels.indexes.set(label, labels.names.length);
  return labels.names.push(label) - 1;
}

/** Text from outside as a label value: no control characters, at most 100 characters, never cut inside one. */
export function toLabelValue(name: string): string {
  const visible = name.replace(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ').trim();
  if (visible === '') return 'unknown';
  return visible.length > MAX_LABEL_LENGTH
    ? Array.from(visible).slice(0, MAX_LABEL_LENGTH).join('').trimEnd()
    : visible;
}
