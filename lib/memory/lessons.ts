import type { Database } from 'better-sqlite3';
import type { MemorySchema } from './schema.ts';

/** A number of rows for one status and severity, both from a fixed list. */
export interface StatusCount {
  readonly status: string;
  readonly severity: string;
  readonly count: number;
}

/** What lessons_learned holds. */
export interface LessonFigures {
  readonly total: number;
  /** Undefined where the table has no status and severity (state A). */
  readonly byStatus: readonly StatusCount[] | undefined;
  /** ACTIVE lessons used at least once / ACTIVE lessons; undefined while there is none. */
  readonly appliedRatio: number | undefined;
}

/** What error_patterns holds. */
export interface PatternFigures {
  readonly total: number;
  readonly byStatus: readonly StatusCount[];
}

export const STATUSES = ['ACTIVE', 'RESOLVED', 'other'] as const;
export const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'other'] as const;

/** Counts the lessons of an open memory; undefined if it has no such table. */
export function readLessons(db: Database, schema: MemorySchema): LessonFigures | undefined {
  if (schema.lessons.size === 0) return undefined;
  const total = db.prepare('SELECT count(*) FROM lessons_learned').pluck().get() as number;
  if (!schema.lessons.has('status') || !schema.lessons.has('severity')) {
    return { total, byStatus: undefined, appliedRatio: undefined };
  }
  return { total, byStatus: countByStatus(db, 'lessons_learned', 'severity'), appliedRatio: readAppliedRatio(db) };
}

/** Counts the error patterns of an open memory; undefined if it has no such table. */
export function readPatterns(db: Database, schema: MemorySchema): PatternFigures | undefined {
  if (schema.patterns.size === 0) return undefined;
  return {
    total: db.prepare('SELECT count(*) FROM error_patterns').pluck().get() as number,
    byStatus: countByStatus(db, 'error_patterns', 'severity_level'),
  };
}

function readAppliedRatio(db: Database): number | undefined {
  const sql = `SELECT count(*) AS active, coalesce(sum(typeof(times_applied) = 'integer' AND times_applied > 0), 0) AS applied
    FROM lessons_learned WHERE upper(trim(status)) = 'ACTIVE'`;
  const { active, applied } = db.prepare(sql).get() as { active: number; applied: number };
  return active === 0 ? undefined : applied / active;
}

/** Every pair of a known status and severity, 0 included, so that a series never comes and goes. */
function countByStatus(db: Database, table: string, severityColumn: string): StatusCount[] {
  const sql = `SELECT upper(trim(status)) AS status, upper(trim("${severityColumn}")) AS severity, count(*) AS count
    FROM ${table} GROUP BY 1, 2`;
  const rows = db.prepare(sql).all() as { status: unknown; severity: unknown; count: number }[];
  const counts = new Map(STATUSES.flatMap((status) => SEVERITIES.map((severity) => [`${status} ${severity}`, 0])));
  for (const row of rows) {
    const key = `${oneOf(STATUSES, row.status)} ${oneOf(SEVERITIES, row.severity)}`;
    counts.set(key, (counts.get(key) ?? 0) + row.count);
  }
  return [...counts].map(([key, count]) => {
    const [status, severity] = key.split(' ');
    return { status, severity, count };
  });
}

function oneOf(known: readonly string[], value: unknown): string {
  return known.find((each) => each === value) ?? 'other';
}
