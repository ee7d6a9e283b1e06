import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { describeError, OperatorError, UsageError } from '../../errors.ts';
import { DEMO_APPLICATION_ID, SWARM_TABLES, USAGE_TABLE } from '../tables.ts';
import { DAY_MS } from '../windows.ts';
import { createRandom, type Random } from './random.ts';
import { fixRow, hookRun, orchestratedRun, type RunRows } from './runs.ts';
import { createRowWriter, type Row, timeText } from './writer.ts';

/** What a demo memory is made of; the same options make the same rows. */
export interface DemoOptions {
  readonly path: string;
  readonly seed: number;
  readonly days: number;
  /** The last moment it tells of, in milliseconds since the epoch. */
  readonly untilMs: number;
  readonly timezone: string;
}

/**
 * Makes a synthetic memory: both kinds of rows, pairs, every form of timestamp, lessons, patterns, failures, usage.
 * @throws UsageError if there is a file at that path already, OperatorError if none can be written there.
 */
export function createDemoMemory(options: DemoOptions): { readonly events: number; readonly lessons: number } {
  if (existsSync(options.path)) {
    throw new UsageError(
      `Could not make a demo memory at "${options.path}": there is a file already.`,
      'Choose another path, or remove that file first.',
    );
  }
  const db = openNew(options.path);
  try {
    db.pragma('journal_mode = WAL');
    db.pragma(`application_id = ${DEMO_APPLICATION_ID}`);
    return db.transaction(() => fill(db, options))();
  } catch (error) {
    rmSync(options.path, { force: true });
    throw explain(options.path, error);
  } finally {
    db.close();
  }
}

function openNew(path: string): Database.Database {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return new Database(path);
  } catch (error) {
    throw explain(path, error);
  }
}

/** What the file system or SQLite refuses is for whoever chose the path; anything else is a bug of ours. */
function explain(path: string, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!/^(SQLITE_(CANTOPEN|READONLY|PERM|FULL|IOERR)|E[A-Z]+$)/.test(code)) return error;
  const message = `Could not make a demo memory at "${path}": ${describeError(error)}.`;
  return new OperatorError(message, 'Choose a folder that this user may write to, with room.', { cause: error });
}

/** Adds one more run that ends now, as a hook would: open, write, close. Refuses a memory that is no demo. */
export function growDemoMemory(path: string, nowMs: number, timezone: string): void {
  const db = new Database(path, { fileMustExist: true });
  try {
    if (db.pragma('application_id', { simple: true }) !== DEMO_APPLICATION_ID) {
      throw new UsageError(
        `Could not add to "${path}": it is no demo memory.`,
        'Made-up rows never go into a real one.',
      );
    }
    const random = createRandom(nowMs);
    const context = { random, endedMs: nowMs, sessionId: `demo-${Math.floor(nowMs / 3_600_000)}`, timezone };
    const run = random.chance(0.3) ? orchestratedRun(context) : hookRun(context, false);
    db.transaction(() => write(db, run))();
  } finally {
    db.close();
  }
}

function fill(db: Database.Database, options: DemoOptions): { events: number; lessons: number } {
  db.exec(SWARM_TABLES + USAGE_TABLE);
  const random = createRandom(options.seed);
  for (const run of plannedRuns(random, options)) write(db, run);
  const insert = createRowWriter(db);
  for (const lesson of lessonRows(random, options)) insert('lessons_learned', lesson);
  for (const pattern of patternRows(random, options)) insert('error_patterns', pattern);
  const count = (table: string): number => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  return { events: count('swarm_events'), lessons: count('lessons_learned') };
}

function write(db: Database.Database, run: RunRows): void {
  const insert = createRowWriter(db);
  for (const row of run.events) insert('swarm_events', row);
  for (const row of run.usage) insert('task_usage', row);
}

/** Runs in order of time: a dozen sessions' worth by day, some from the queue by night, few on Sundays. */
function plannedRuns(random: Random, { days, untilMs, timezone }: DemoOptions): RunRows[] {
  const beginMs = untilMs - days * DAY_MS;
  const ends: number[] = [];
  for (let day = 0; day < days; day += 1) {
    const dayMs = beginMs + day * DAY_MS;
    const isQuiet = new Date(dayMs).getUTCDay() === 0;
    const count = isQuiet ? random.between(2, 6) : random.between(22, 40);
    for (let run = 0; run < count; run += 1) ends.push(dayMs + Math.floor(random.next() * DAY_MS));
  }
  ends.sort((one, other) => one - other);
  return ends.flatMap((endedMs) => {
    const context = { random, endedMs, sessionId: `demo-${Math.floor(endedMs / 3_600_000)}`, timezone };
    const isNight = new Date(endedMs).getUTCHours() < 6;
    const run =
      isNight || random.chance(0.1) ? orchestratedRun(context) : hookRun(context, endedMs < beginMs + DAY_MS * 5);
    const target = run.events.at(-1)?.id;
    const fix = random.chance(0.06) && typeof target === 'string' ? [fixRow(context, target)] : [];
    return [run, { events: fix, usage: [] }];
  });
}

const LESSONS = [
  ['Prenotazioni doppie', 'Due api scrivono lo stesso file', 'Un albero di lavoro per ogni task'],
  ['Test lenti', 'I test ripartono da zero ogni volta', 'Tenere la cache delle dipendenze'],
  ['Migrazione saltata', 'Lo schema del cliente era più vecchio', 'Controllare lo schema prima di scrivere'],
  ['Orari sbagliati', 'Ora locale letta come UTC', 'Scrivere sempre il fuso'],
  ['Segreto nei log', 'Il token era in un messaggio di errore', 'Mascherare prima di scrivere'],
  ['Listino vuoto', 'Il file delle tariffe mancava sul server', 'Verificare i file di configurazione all’avvio'],
  ['Revisione superficiale', 'La revisione guardava solo i file nuovi', 'Rivedere anche chi chiama il codice cambiato'],
  [
    'Task infinito',
    'Un comando aspettava una risposta da tastiera',
    'Lanciare i comandi senza terminale e con un limite di tempo',
  ],
  ['Conflitti sul calendario', 'Due rami toccavano lo stesso modulo', 'Un solo task alla volta per modulo'],
  ['Database occupato', 'Una lettura lunga bloccava chi scrive', 'Letture brevi, una transazione per volta'],
  ['Prezzo a zero', 'Il prezzo mancante diventava 0', 'Fermarsi quando il prezzo non c’è'],
  ['Guida vecchia', 'La guida diceva comandi che non esistono più', 'Aggiornare la guida nello stesso task'],
  ['Budget finito a metà', 'Il task era troppo grande per il suo budget', 'Dividere in passi da dieci minuti'],
  ['Traduzioni perse', 'Le etichette erano scritte nel codice', 'Tenere i testi in un solo catalogo'],
  ['Query lenta', 'Mancava l’indice sulla data di arrivo', 'Guardare il piano della query prima di consegnare'],
  ['Esito non scritto', 'Il task finiva senza dire com’era andata', 'Chiudere ogni task con un esito'],
  ['Dipendenza rotta', 'L’aggiornamento automatico ha cambiato una API', 'Versioni esatte, aggiornate una per volta'],
  ['Arrotondamenti', 'I centesimi si perdevano nelle somme', 'Calcolare in centesimi interi'],
  ['Backup non provato', 'La copia era vuota da una settimana', 'Ripristinare la copia di prova ogni settimana'],
  ['Prompt vago', 'L’ape ha chiesto tre volte che cosa fare', 'Dire il file, il risultato e come si verifica'],
  [
    'Pagina bianca sul telefono',
    'Lo script non girava sui browser vecchi',
    'Provare su un telefono prima di pubblicare',
  ],
  ['Disco pieno', 'I log dei task restavano per sempre', 'Cancellare i log dopo trenta giorni'],
  ['Fattura doppia', 'La richiesta ripetuta creava due fatture', 'Una chiave per ogni richiesta'],
  ['Ricerca rumorosa', 'L’ape leggeva tutto il progetto a ogni task', 'Indicare le cartelle che servono'],
] as const;

function lessonRows(random: Random, { untilMs, days, timezone }: DemoOptions): Row[] {
  const forms = [
    timeText.zulu,
    timeText.utcMicroseconds,
    timeText.sqlite,
    (ms: number) => timeText.naiveLocal(ms, timezone),
  ];
  return LESSONS.map(([context, problem, solution], index) => {
    const writtenMs = untilMs - Math.floor(random.next() * days * DAY_MS);
    const timesApplied = random.chance(0.7) ? random.between(1, 9) : 0;
    return {
      id: random.uuid(),
      timestamp: forms[index % forms.length](writtenMs),
      context,
      problem,
      solution,
      agents_involved: random.chance(0.5) ? 'cervella-backend,cervella-tester' : '["cervella-docs"]',
      times_applied: timesApplied,
      last_applied: timesApplied > 0 ? timeText.zulu(untilMs - random.between(0, 7) * DAY_MS) : null,
      severity: random.pick(['CRITICAL', 'HIGH', 'MEDIUM', 'MEDIUM', 'LOW']),
      status: random.chance(0.75) ? 'ACTIVE' : 'RESOLVED',
      tags: random.chance(0.5) ? 'git,test' : '["sqlite","hooks"]',
      created_at: timeText.sqlite(writtenMs),
    };
  });
}

function patternRows(random: Random, { untilMs, days }: DemoOptions): Row[] {
  return Array.from({ length: 7 }, (_, index) => ({
    pattern_name: `demo-pattern-${index + 1}`,
    pattern_type: random.pick(['timeout', 'missing-file', 'conflict', 'type-error']),
    first_seen: timeText.zulu(untilMs - days * DAY_MS + index * DAY_MS),
    last_seen: timeText.zulu(untilMs - random.between(0, days) * 3_600_000),
    occurrence_count: random.between(2, 15),
    severity_level: random.pick(['HIGH', 'MEDIUM', 'LOW']),
    status: random.chance(0.6) ? 'ACTIVE' : 'RESOLVED',
  }));
}
