import Database from 'better-sqlite3';

/** The right to work on a monitor.db: at any moment one process has it, and one that dies has it no more. */
export interface Lead {
  /** Whether this process has it, or takes it now; false while another has it. */
  readonly take: () => boolean;
  readonly isHeld: () => boolean;
  readonly giveUp: () => void;
}

/**
 * A lead on a monitor.db, held by an exclusive lock on an empty file beside it. The operating system lets go of it with the
 * process, so neither clocks nor process numbers say who is alive: in containers each scheduler is process 1.
 */
export function createLead(monitorDbPath: string): Lead {
  let lock: Database.Database | undefined;
  return {
    isHeld: () => lock !== undefined,
    take: () => {
      if (lock !== undefined) return true;
      const db = new Database(`${monitorDbPath}.lock`, { timeout: 0 });
      try {
        // Nothing is ever written, so that no journal need lie beside it.
        db.pragma('journal_mode = MEMORY');
        db.exec('BEGIN EXCLUSIVE');
        lock = db;
        return true;
      } catch (error) {
        db.close();
        if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return false;
        throw error;
      }
    },
    giveUp: () => {
      lock?.close();
      lock = undefined;
    },
  };
}
