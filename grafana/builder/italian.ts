import type { GateReason } from '../../lib/queue/gates.ts';
import type { Outcome } from '../../lib/queue/outcome.ts';

/** How a run of an agent ended. */
export const OUTCOME_NAMES: Readonly<Record<Outcome, string>> = {
  ok: 'Riuscito',
  'needs-attention': 'Da guardare',
  budget: 'Budget finito',
  'max-turns': 'Troppi turni',
  'rate-limited': 'Limite d’uso',
  auth: 'Accesso rifiutato',
  overloaded: 'Modello sovraccarico',
  'bad-request': 'Richiesta sbagliata',
  stuck: 'Bloccato',
  crashed: 'Caduto',
  timeout: 'Tempo scaduto',
  cancelled: 'Annullato',
};

/** Why no task is taken; the alert QueuePaused uses the same words. */
export const GATE_NAMES: Readonly<Record<GateReason, string>> = {
  user: 'Fermata a mano',
  'budget-day': 'Budget del giorno finito',
  'budget-week': 'Budget della settimana finito',
  'budget-month': 'Budget del mese finito',
  'budget-unknown': 'Spesa non nota',
  'usage-limit': 'Limite d’uso raggiunto',
  provider: 'Fornitore dei modelli guasto',
  redis: 'Redis non affidabile',
  'no-agent': 'Nessun agente si avvia',
};

/** Why the machine forbids more workers; a test compares them with the autoscaler's. */
export const VETO_NAMES = {
  memory_pressure: 'Processi in attesa di memoria',
  memory_available: 'Poca memoria libera',
  cpu_pressure: 'Processi in attesa di CPU',
  disk: 'Poco disco libero',
  overloaded_answers: 'Modello sovraccarico',
};

/** The parts of the autoscaler's signal. */
export const SIGNAL_NAMES = { cpu: 'CPU', memory: 'Memoria', queue: 'Coda', tasks: 'Task', sum: 'Somma pesata' };

export const WORKER_NAMES = { target: 'Voluti', running: 'Al lavoro' };

/** Where tasks stand. */
export const STATE_NAMES = {
  waiting: 'In attesa',
  delayed: 'Rimandati',
  active: 'Al lavoro',
  completed: 'Riusciti',
  failed: 'Falliti',
};

export const PERIOD_NAMES = { day: 'Giorno', week: 'Settimana', month: 'Mese' };

const KIND_NAMES = { limit: 'limite', spent: 'speso', reserved: 'impegnato' };

/** A period and what is meant of its budget, as their labels stand beside each other. */
export const BUDGET_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(PERIOD_NAMES).flatMap(([period, name]) =>
    Object.entries(KIND_NAMES).map(([kind, what]) => [`${period} ${kind}`, `${name}, ${what}`]),
  ),
);
