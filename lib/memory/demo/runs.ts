import type { Random } from './random.ts';
import { type Row, timeText } from './writer.ts';

/** How one made-up agent run is told: its time, the session it belongs to, and the zone of local times. */
export interface RunContext {
  readonly random: Random;
  readonly endedMs: number;
  readonly sessionId: string;
  readonly timezone: string;
}

/** Rows for swarm_events and task_usage. */
export interface RunRows {
  readonly events: readonly Row[];
  readonly usage: readonly Row[];
}

const AGENTS = [
  'cervella-orchestrator',
  'cervella-backend',
  'cervella-frontend',
  'cervella-reviewer',
  'cervella-tester',
  'cervella-docs',
  'cervella-devops',
  'cervella-data',
  'cervella-security',
  'cervella-researcher',
  'cervella-scienziata',
  'cervella-ingegnera',
  'cervella-marketing',
  'cervella-guardiana-qualita',
  'cervella-guardiana-ops',
  'cervella-guardiana-ricerca',
  'Explore',
];
const PROJECTS = ['miracollo', 'contabilita', 'cervellaswarm'];
const DUTIES = [
  'Rivedi il modulo prenotazioni',
  'Scrivi i test del listino',
  'Cerca le query lente',
  'Aggiorna la guida del check-in',
  'Correggi gli arrotondamenti in fattura',
  'Sistema la pagina prezzi sul telefono',
  'Controlla le dipendenze',
  'Prepara il riepilogo degli arrivi',
];
const ERRORS = [
  'Timeout after 600 s waiting for "npm test"',
  "ENOENT: no such file or directory, open '/srv/demo/config/rates.json'",
  'TypeError: cannot read properties of undefined (reading "price") at line 128',
  'Merge conflict in src/bookings/calendar.ts',
  'SQLITE_BUSY: database is locked',
];
const MODELS = [
  { name: 'claude-sonnet-4-5', perMillion: [3, 15, 0.3, 3.75] },
  { name: 'claude-haiku-4-5', perMillion: [1, 5, 0.1, 1.25] },
] as const;

/** A run the hooks saw: a stop row, mostly a task row 30 ms later, now and then only one of them. */
export function hookRun(context: RunContext, isFirstHookVersion: boolean): RunRows {
  const { random, endedMs, sessionId, timezone } = context;
  const agent = random.pick(AGENTS);
  const common = { session_id: sessionId, project: random.pick(PROJECTS), task_description: random.pick(DUTIES) };
  const agentId = random.uuid().slice(0, 8);
  const stop = {
    ...common,
    id: random.uuid(),
    timestamp: timeText.naiveLocal(endedMs, timezone),
    event_type: 'subagent_stop',
    agent_name: isFirstHookVersion ? 'subagent' : agent,
    task_status: 'completed',
    notes: JSON.stringify(
      isFirstHookVersion
        ? { agent_id: agentId, agent_transcript_path: `/demo/${agentId}.jsonl`, hook_event_name: 'SubagentStop' }
        : { agent_id: agentId, transcript_path: `/demo/${agentId}.jsonl`, summary: 'Fatto.' },
    ),
    created_at: timeText.sqlite(endedMs),
  };
  const task = {
    ...common,
    id: random.uuid(),
    timestamp: timeText.utcMicroseconds(endedMs + 30),
    event_type: 'task_complete',
    agent_name: agent,
    task_status: 'completed',
    success: 1,
    created_at: timeText.sqlite(endedMs + 30),
  };
  if (random.chance(0.55)) return { events: [stop, task], usage: [] };
  return { events: [random.chance(0.9) ? stop : task], usage: [] };
}

/** A run from the queue, at night and without a person: one row with duration, outcome and cost, sometimes after a retry. */
export function orchestratedRun(context: RunContext): RunRows {
  const { random, endedMs, sessionId } = context;
  const taskId = random.uuid();
  const agent = random.pick(AGENTS.slice(1, 9));
  const succeeds = random.chance(0.86);
  const retries = random.chance(0.08) ? 1 : 0;
  const durationMs = Math.round(20_000 + 400_000 * random.next() ** 3 + (succeeds ? 0 : 240_000 * random.next()));
  const error = random.pick(ERRORS);
  const common = {
    session_id: sessionId,
    agent_name: agent,
    task_id: taskId,
    project: random.pick(PROJECTS),
    task_description: random.pick(DUTIES),
  };
  const row = (id: string, ms: number, extra: Row): Row => ({
    ...common,
    id,
    timestamp: timeText.utcMicroseconds(ms),
    created_at: timeText.sqlite(ms),
    ...extra,
  });
  const retry = row(`${taskId}-attempt-1`, endedMs - durationMs / 2, {
    event_type: 'task_retry',
    success: 0,
    error_message: error,
  });
  const usage = usageRows(random, taskId, agent, common.project, endedMs, retries + 1);
  const end = row(`${taskId}-end`, endedMs, {
    event_type: succeeds ? 'task_complete' : 'task_failed',
    task_status: succeeds ? 'ok' : random.pick(['needs-attention', 'crashed', 'timeout']),
    success: succeeds ? 1 : 0,
    duration_ms: durationMs,
    error_message: succeeds ? null : error,
    tags: JSON.stringify(random.chance(0.8) ? ['orchestrated', 'autonomous'] : ['orchestrated']),
    notes: JSON.stringify({ attempts: retries + 1, outcome: succeeds ? 'ok' : 'failed' }),
  });
  return { events: retries ? [retry, end] : [end], usage };
}

/** A row that says a person had to mend what a task did. */
export function fixRow(context: RunContext, targetId: string): Row {
  return {
    id: context.random.uuid(),
    timestamp: timeText.utcMicroseconds(context.endedMs),
    event_type: 'fix',
    parent_task_id: targetId,
    tags: 'fix-after-agent',
    created_at: timeText.sqlite(context.endedMs),
  };
}

function usageRows(
  random: Random,
  taskId: string,
  agent: string,
  project: string,
  endedMs: number,
  attempts: number,
): Row[] {
  return Array.from({ length: attempts }, (_, index) => {
    const model = MODELS[random.chance(0.6) ? 0 : 1];
    const tokens = [
      random.between(500, 6_000),
      random.between(800, 9_000),
      random.between(20_000, 400_000),
      random.between(2_000, 30_000),
    ];
    const costUsd = tokens.reduce((sum, count, kind) => sum + (count * model.perMillion[kind]) / 1e6, 0);
    return {
      task_id: taskId,
      attempt: index + 1,
      ended_at: timeText.zulu(endedMs - (attempts - 1 - index) * 60_000),
      agent_name: agent,
      project,
      model: model.name,
      input_tokens: tokens[0],
      output_tokens: tokens[1],
      cache_read_tokens: tokens[2],
      cache_creation_tokens: tokens[3],
      cost_usd: Math.round(costUsd * 1e6) / 1e6,
      turns: random.between(3, 30),
      source: 'orchestrator',
    };
  });
}
