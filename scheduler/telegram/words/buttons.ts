import type { Words } from '../../words.ts';

/** What stands on buttons. */
export const LABELS = {
  approve: { it: '✅ Approva', en: '✅ Approve' },
  reject: { it: '🚫 Rifiuta', en: '🚫 Reject' },
  details: { it: '🔍 Dettagli', en: '🔍 Details' },
  trace: { it: '🧭 Percorso', en: '🧭 Trace' },
  log: { it: '📄 Registro', en: '📄 Log' },
  retry: { it: '🔁 Riprova', en: '🔁 Retry' },
  fix: { it: '🛠 Ho dovuto correggere', en: '🛠 I had to fix it' },
  cancel: { it: '⏹ Annulla', en: '⏹ Cancel' },
  start: { it: '🚀 Avvia', en: '🚀 Start' },
  drop: { it: '✖️ Lascia stare', en: '✖️ Never mind' },
  hour: { it: '1 ora', en: '1 hour' },
  fourHours: { it: '4 ore', en: '4 hours' },
  tomorrow: { it: 'Fino a domani', en: 'Until tomorrow' },
} as const satisfies Record<string, Words>;
