/** SQLite's application id of a demo memory ("demo" in ASCII): how one is told from a real one. */
export const DEMO_APPLICATION_ID = 0x64656d6f;

/** The tables of a swarm memory in its usual shape (state C), as the hooks make them, for demo memories and tests. */
export const SWARM_TABLES = `
CREATE TABLE swarm_events (
  id TEXT PRIMARY KEY, timestamp TEXT NOT NULL, session_id TEXT, event_type TEXT NOT NULL, agent_name TEXT,
  agent_role TEXT, task_id TEXT, parent_task_id TEXT, task_description TEXT, task_status TEXT, duration_ms INTEGER,
  success INTEGER, error_message TEXT, project TEXT, files_modified TEXT, tags TEXT, notes TEXT,
  created_at TEXT DEFAULT (datetime('now'))
);
CREATE INDEX idx_events_timestamp ON swarm_events (timestamp DESC);
CREATE INDEX idx_events_agent ON swarm_events (agent_name);
CREATE INDEX idx_events_project ON swarm_events (project);
CREATE INDEX idx_events_status ON swarm_events (task_status);
CREATE INDEX idx_events_session ON swarm_events (session_id);
CREATE TABLE lessons_learned (
  id TEXT PRIMARY KEY, timestamp TEXT NOT NULL, context TEXT, problem TEXT, solution TEXT, pattern TEXT,
  agents_involved TEXT, confidence REAL DEFAULT 0.5, times_applied INTEGER DEFAULT 0,
  created_at TEXT DEFAULT (datetime('now')), category TEXT, severity TEXT DEFAULT 'MEDIUM', root_cause TEXT,
  prevention TEXT, time_wasted_minutes INTEGER, occurrence_count INTEGER DEFAULT 1, status TEXT DEFAULT 'ACTIVE',
  related_pattern_id INTEGER, project TEXT, "trigger" TEXT, example TEXT, tags TEXT, related_patterns TEXT,
  auto_generated INTEGER DEFAULT 0, last_applied TEXT
);
CREATE TABLE error_patterns (
  id INTEGER PRIMARY KEY AUTOINCREMENT, pattern_name TEXT UNIQUE NOT NULL, pattern_type TEXT NOT NULL,
  first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, occurrence_count INTEGER DEFAULT 1,
  severity_level TEXT DEFAULT 'MEDIUM', error_signature TEXT, affected_agents TEXT, affected_files TEXT,
  root_cause_hypothesis TEXT, mitigation_applied INTEGER DEFAULT 0, mitigation_description TEXT,
  status TEXT DEFAULT 'ACTIVE'
);
`;

/** Our own table of costs, one row for a task, attempt and model (swarm-memory.md). */
export const USAGE_TABLE = `
CREATE TABLE IF NOT EXISTS task_usage (
  task_id TEXT NOT NULL, attempt INTEGER NOT NULL, ended_at TEXT NOT NULL, agent_name TEXT, project TEXT,
  model TEXT NOT NULL, input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER,
  cache_creation_tokens INTEGER, cost_usd REAL, turns INTEGER, source TEXT,
  PRIMARY KEY (task_id, attempt, model)
);
`;

/** Our own table of what other machines have sent, one row for each state file of a sender. */
export const SHIPMENTS_TABLE = `
CREATE TABLE IF NOT EXISTS shipments (
  origin TEXT PRIMARY KEY NOT NULL, machine TEXT, last_batch TEXT NOT NULL, last_success TEXT NOT NULL
);
`;
