import { digestOf } from '../../lib/memory/cell-digest.ts';
import type { Cell, Cells } from '../../lib/memory/shipped-tables.ts';
import { createTimestampParser } from '../../lib/memory/timestamps.ts';
import type { ShippedRow } from '../../lib/queue/shipped-row.ts';

/** A row that changes in place, as another machine has it. */
export type ChangingRow = Extract<ShippedRow, { before?: unknown }>;

/** How two filled cells of one column become one; undefined if ours stays. */
type Rule = (local: Cell, shipped: Cell) => Cell | undefined;

// Only an order is wanted of these, and both are read alike.
const parser = createTimestampParser('UTC');

const larger: Rule = (local, shipped) => (Number(shipped) > Number(local) ? shipped : undefined);
const later: Rule = (local, shipped) => {
  const [ours, theirs] = [parser.timestamp(local), parser.timestamp(shipped)];
  return ours !== undefined && theirs !== undefined && theirs > ours ? shipped : undefined;
};
const earlier: Rule = (local, shipped) => (later(shipped, local) === undefined ? undefined : shipped);
const ours: Rule = () => undefined;

/** Every other column goes by whether it was changed here. */
const RULES: Readonly<Record<ChangingRow['table'], Readonly<Record<string, Rule>>>> = {
  lessons_learned: {
    id: ours,
    timestamp: ours,
    created_at: ours,
    times_applied: larger,
    occurrence_count: larger,
    time_wasted_minutes: larger,
    last_applied: later,
  },
  error_patterns: { pattern_name: ours, occurrence_count: larger, first_seen: earlier, last_seen: later },
};

/**
 * What has to be written into our row of the same key so that nothing of either is lost: empty cells are filled, counters and
 * dates only move their one way, and any other cell takes the other's value if ours is what the other sent last time, which
 * means that nobody has touched it here. Nothing is ever emptied.
 */
export function mergeRow({ table, row, before = {} }: ChangingRow, local: Cells): Cells {
  const changes = Object.entries(row).flatMap(([column, shipped]) => {
    const own = local[column];
    if (own === undefined || isEmpty(shipped)) return [];
    const rule = RULES[table][column];
    const untouched = before[column] === digestOf(own) && digestOf(shipped) !== before[column];
    const merged = isEmpty(own) ? shipped : rule ? rule(own, shipped) : untouched ? shipped : undefined;
    return merged === undefined ? [] : [[column, merged] as const];
  });
  return Object.fromEntries(changes);
}

function isEmpty(cell: Cell): boolean {
  return cell === null || cell === '';
}
