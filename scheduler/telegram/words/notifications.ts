import { NOT_GRANTABLE, type NotGrantable } from '../../../lib/queue/refused-call.ts';
import type { Words } from '../../words.ts';

/** What is told unasked. */
export const TOLD = {
  taskFailed: {
    it: '❌ <b>{outcome}</b> · {agent} · {project}\n{error}\n{calls}\nCosto {cost} · tempo {time} · tentativi {attempts}\nRamo <code>{branch}</code>\n/task_{short}',
    en: '❌ <b>{outcome}</b> · {agent} · {project}\n{error}\n{calls}\nCost {cost} · time {time} · attempts {attempts}\nBranch <code>{branch}</code>\n/task_{short}',
  },
  taskFailedLine: {
    it: '❌ {agent} · {project} · {outcome} · {cost} /task_{short}',
    en: '❌ {agent} · {project} · {outcome} · {cost} /task_{short}',
  },
  taskDone: {
    it: '✅ <b>Fatto</b> · {agent} · {project}\nCosto {cost} · tempo {time} · tentativi {attempts}\nRamo <code>{branch}</code>\n{link}\n/task_{short}',
    en: '✅ <b>Done</b> · {agent} · {project}\nCost {cost} · time {time} · attempts {attempts}\nBranch <code>{branch}</code>\n{link}\n/task_{short}',
  },
  review: {
    it: '🔎 <a href="{url}">La revisione su GitHub</a>',
    en: '🔎 <a href="{url}">The review on GitHub</a>',
  },
  reviewInLine: { it: ' · <a href="{url}">revisione</a>', en: ' · <a href="{url}">review</a>' },
  taskDoneLine: {
    it: '✅ {agent} · {project} · {cost} · {time}{review} /task_{short}',
    en: '✅ {agent} · {project} · {cost} · {time}{review} /task_{short}',
  },
  taskCancelledLine: {
    it: '⏹ {agent} · {project} · annullato /task_{short}',
    en: '⏹ {agent} · {project} · cancelled /task_{short}',
  },
  approval: {
    it: '🙋 <b>Serve un sì</b> · {agent} · {project}\nPuò costare fino a {budget} · chiesto da {source}\n<i>{prompt}</i>\nScade {expires}',
    en: '🙋 <b>A yes is needed</b> · {agent} · {project}\nMay cost up to {budget} · asked by {source}\n<i>{prompt}</i>\nExpires {expires}',
  },
  toolRequest: {
    it: '🙋 <b>Serve un sì</b> · {agent} · {project}\nL’agente chiede quello che non può usare:\n{calls}\nIl sì vale solo per questo task, che riprende da dove si è fermato.\nSpesi {cost} · tempo {time} · chiesto da {source}\nRamo <code>{branch}</code>\n<i>{prompt}</i>\nScade {expires}\n/task_{short}',
    en: '🙋 <b>A yes is needed</b> · {agent} · {project}\nThe agent asks for what it may not use:\n{calls}\nThe yes is for this task alone, which goes on where it stopped.\nSpent {cost} · time {time} · asked by {source}\nBranch <code>{branch}</code>\n<i>{prompt}</i>\nExpires {expires}\n/task_{short}',
  },
  callAsked: {
    it: '🔧 <b>{tool}</b>\n<i>{input}</i>\n➡️ <code>{rule}</code>',
    en: '🔧 <b>{tool}</b>\n<i>{input}</i>\n➡️ <code>{rule}</code>',
  },
  wholeToolAsked: {
    it: '🔧 <b>{tool}</b>\n<i>{input}</i>\n➡️ <code>{rule}</code>, per ogni uso',
    en: '🔧 <b>{tool}</b>\n<i>{input}</i>\n➡️ <code>{rule}</code>, whatever for',
  },
  refusedCall: {
    it: '🔧 <b>{tool}</b>\n<i>{input}</i>\n⛔ Da qui non si può concedere: {why}.',
    en: '🔧 <b>{tool}</b>\n<i>{input}</i>\n⛔ It cannot be granted from here: {why}.',
  },
  budget: {
    it: '💸 <b>Budget {period}</b>: spesi {spent} di {limit}',
    en: '💸 <b>Budget of the {period}</b>: {spent} of {limit} spent',
  },
  paused: {
    it: '⏸ <b>Coda in pausa</b> ({reason})\n{text}\nPer riprendere: /riprendi',
    en: '⏸ <b>Queue paused</b> ({reason})\n{text}\nTo go on: /resume',
  },
  secondPoller: {
    it: '🕵️ <b>Un altro programma legge i messaggi di questo bot</b> con lo stesso token.\nQui i comandi non arrivano finché continua; le notifiche sì. Se non sei tu, revoca il token con BotFather.',
    en: '🕵️ <b>Another program reads the messages of this bot</b> with the same token.\nCommands do not get here while it does; notifications do. If it is not yours, revoke the token with BotFather.',
  },
  digest: {
    it: '☀️ <b>Le ultime 24 ore</b>\nMemoria: {memory}\n{tasks} task: {success} riusciti, {failed} falliti, {unknown} senza esito\nSuccesso {ratio}\nCosto {cost} (oggi il limite è {limit})\nCoda: {waiting} in attesa, {active} in corso, {delayed} rimandati\nIn pausa: {paused}\nProgetti: {health}\nLavori non riusciti: {jobs}\n\n{needs}',
    en: '☀️ <b>The last 24 hours</b>\nMemory: {memory}\n{tasks} tasks: {success} succeeded, {failed} failed, {unknown} without an outcome\nSuccess {ratio}\nCost {cost} (the limit of a day is {limit})\nQueue: {waiting} waiting, {active} active, {delayed} delayed\nPaused: {paused}\nProjects: {health}\nJobs that failed: {jobs}\n\n{needs}',
  },
  needsYou: { it: '👉 <b>Serve te</b>: {what}', en: '👉 <b>Needs you</b>: {what}' },
  needsNothing: { it: '👌 Niente che abbia bisogno di te.', en: '👌 Nothing needs you.' },
  needsApprovals: { it: '{count} da approvare', en: '{count} to approve' },
  needsFailed: { it: '{count} task falliti da guardare', en: '{count} failed tasks to look at' },
  needsPaused: { it: 'la coda è in pausa', en: 'the queue is paused' },
  needsMaintenance: {
    it: '{count} da fare per la manutenzione (la prima da {since})',
    en: '{count} to do for maintenance (the first since {since})',
  },
  needsJobs: { it: '{count} lavori non riusciti', en: '{count} jobs that failed' },
  health: { it: '🩺 <b>Salute dei progetti</b>\n{text}', en: '🩺 <b>Health of the projects</b>\n{text}' },
  retro: { it: '🐝 <b>Retrospettiva</b>\n{text}', en: '🐝 <b>Retrospective</b>\n{text}' },
  retroPicture: {
    it: '📊 Task al giorno: 🟩 riusciti 🟥 falliti ⬜ senza esito 🟦 una settimana prima',
    en: '📊 Tasks a day: 🟩 succeeded 🟥 failed ⬜ without an outcome 🟦 a week before',
  },
  reviewsCapped: {
    it: '🔎 <b>Revisioni</b>: per oggi sono finite ({limit}).',
    en: '🔎 <b>Reviews</b>: no more today ({limit}).',
  },
  reviewRefused: {
    it: '🔎 <b>Revisione non pubblicata</b> · {repository} {number}\n{reason}',
    en: '🔎 <b>Review not posted</b> · {repository} {number}\n{reason}',
  },
  checklist: { it: '🧹 <b>Manutenzione</b>\n{text}\n{items}', en: '🧹 <b>Maintenance</b>\n{text}\n{items}' },
  anything: { it: '🔔 {text}', en: '🔔 {text}' },
  several: { it: '📬 <b>{count} notizie</b>', en: '📬 <b>{count} messages</b>' },
  severalDone: { it: '📬 <b>{count} task finiti</b> ({cost})', en: '📬 <b>{count} tasks ended</b> ({cost})' },
  repeat: { it: '<i>(forse lo hai già ricevuto)</i>', en: '<i>(you may have had this already)</i>' },
} as const satisfies Record<string, Words>;

/** Outcomes as people read them. */
export const OUTCOME_WORDS: Readonly<Record<string, Words>> = {
  ok: { it: 'Fatto', en: 'Done' },
  'needs-attention': { it: 'Serve uno sguardo', en: 'Needs a look' },
  budget: { it: 'Budget finito', en: 'Budget used up' },
  'max-turns': { it: 'Troppi passi', en: 'Too many turns' },
  'rate-limited': { it: 'Limite di uso', en: 'Usage limit' },
  auth: { it: 'Accesso negato', en: 'Not logged in' },
  overloaded: { it: 'Modello sovraccarico', en: 'Model overloaded' },
  'bad-request': { it: 'Richiesta sbagliata', en: 'Bad request' },
  stuck: { it: 'Bloccato', en: 'Stuck' },
  crashed: { it: 'Caduto', en: 'Crashed' },
  timeout: { it: 'Tempo scaduto', en: 'Timed out' },
  cancelled: { it: 'Annullato', en: 'Cancelled' },
};

/** Why a call that was refused cannot be granted. */
export const NOT_GRANTABLE_WORDS: Readonly<Record<NotGrantable, Words>> = {
  'no-rule': { it: 'non c’è una regola che copra questo e nient’altro', en: NOT_GRANTABLE['no-rule'] },
  characters: { it: 'ha caratteri che una regola non prende alla lettera', en: NOT_GRANTABLE.characters },
  'too-long': { it: 'è troppo lungo per essere mostrato intero', en: NOT_GRANTABLE['too-long'] },
  masked: { it: 'contiene qualcosa che va mascherato, e non si può mostrare intero', en: NOT_GRANTABLE.masked },
  'refused-anyway': { it: 'era già concesso, ed è stato rifiutato lo stesso', en: NOT_GRANTABLE['refused-anyway'] },
};

/** Where a task stands, as people read it. */
export const STATE_WORDS: Readonly<Record<string, Words>> = {
  waiting: { it: 'in attesa', en: 'waiting' },
  'needs-approval': { it: 'serve un sì', en: 'needs a yes' },
  delayed: { it: 'rimandato', en: 'delayed' },
  active: { it: 'in corso', en: 'active' },
  completed: { it: 'fatto', en: 'done' },
  failed: { it: 'fallito', en: 'failed' },
  cancelled: { it: 'annullato', en: 'cancelled' },
};

/** Periods of a budget. */
export const PERIOD_WORDS: Readonly<Record<string, Words>> = {
  day: { it: 'del giorno', en: 'day' },
  week: { it: 'della settimana', en: 'week' },
  month: { it: 'del mese', en: 'month' },
};
