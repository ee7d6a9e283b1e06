import type { Database } from 'better-sqlite3';

const ROWS_LOOKED_AT = 2_000;
/** What hooks write when they do not know who it was. */
const NAMELESS = ['subagent', 'unknown', ''];

/** The names of the agents of the latest rows, the busiest first. */
export function readRecentAgents(db: Database): readonly string[] {
  const names = db
    .prepare<[number], string>(
      `SELECT agent_name FROM (SELECT trim(agent_name) AS agent_name FROM swarm_events ORDER BY rowid DESC LIMIT ?)
       WHERE agent_name IS NOT NULL GROUP BY agent_name ORDER BY count(*) DESC, agent_name`,
    )
    .pluck()
    .all(ROWS_LOOKED_AT);
  return names.filter((name) => !NAMELESS.includes(name));
}
