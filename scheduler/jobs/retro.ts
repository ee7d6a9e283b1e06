import { existsSync } from 'node:fs';
import { UnreachableError } from '../../lib/errors.ts';
import { readGoalSteps } from '../goals.ts';
import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';
import { composeRetro, composeShort } from '../retro/compose.ts';
import type { RetroFigures } from '../retro/figures.ts';
import { readRetro } from '../retro/read-retro.ts';
import { retroPath, saveRetro } from '../retro/save-retro.ts';
import { weekOf } from '../retro/week.ts';
import type { Job, JobContext } from './job.ts';

const DAYS = 7;

/** A retrospective that has been made. */
interface MadeRetro {
  readonly file: string;
  readonly markdown: string;
  readonly short_text: string;
  /** As JSON. */
  readonly figures: string;
}

/** The week in figures and words: a page beside monitor.db, the short of it on the phone. */
export const retro: Job = {
  name: 'retro',
  run: async (context) => {
    const { db, slot, notify } = context;
    // Whoever died after making it made it: what is told twice is the same.
    const made = findRetro(db, slot.slotMs) ?? (await makeRetro(context));
    if (!existsSync(made.file)) saveRetro(fileOf(context), made.markdown);
    const key = `retro-${utc(slot.slotMs).replace(/\W/g, '')}`;
    try {
      const week = weekOf(JSON.parse(made.figures) as RetroFigures);
      const facts = { text: made.short_text, path: made.file, ...(week ? { week: JSON.stringify(week) } : {}) };
      await notify({ kind: 'retro', key, facts });
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      const message = `Could not tell of the retrospective, which is in "${made.file}": ${error.message}`;
      throw new UnreachableError(message, error.hint, { cause: error });
    }
    return { summary: made.file };
  },
};

function findRetro(db: MonitorDb, slotMs: number): MadeRetro | undefined {
  return db.prepare<[string], MadeRetro>('SELECT * FROM retros WHERE slot_utc = ?').get(utc(slotMs));
}

async function makeRetro(context: JobContext): Promise<MadeRetro> {
  const { db, settings, slot, clock, signal } = context;
  const { config, work } = settings;
  // Of the week that ended with the slot, also if it is done late.
  const figures = await readRetro({ config, work, goals: readGoalSteps(db) }, { untilMs: slot.slotMs, days: DAYS });
  signal.throwIfAborted();
  const markdown = composeRetro(figures, config);
  const made = {
    file: retroPath(fileOf(context)),
    markdown,
    short_text: composeShort(figures, config),
    figures: JSON.stringify(figures),
  };
  saveRetro(fileOf(context), markdown);
  db.prepare(
    `INSERT OR REPLACE INTO retros (slot_utc, from_utc, until_utc, file, markdown, short_text, figures, made_at)
     VALUES (@slot, @from, @until, @file, @markdown, @short_text, @figures, @madeAt)`,
  ).run({
    ...made,
    slot: utc(slot.slotMs),
    from: figures.from,
    until: figures.until,
    madeAt: utc(clock()),
  });
  return made;
}

function fileOf({ settings: { config, scheduler }, slot }: JobContext) {
  const { slotMs: untilMs, isManual } = slot;
  return { monitorDbPath: scheduler.monitorDbPath, timezone: config.timezone, untilMs, days: DAYS, isManual };
}
