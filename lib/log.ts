import { pino } from 'pino';
import { createLogOutput } from './log-output.ts';

/** The structured log every room writes to standard output, one JSON object a line. */
export type Log = ReturnType<typeof createLog>;

const OUTPUT = createLogOutput(1);

/** A log for one room; `level` as in LOG_LEVEL. */
export function createLog(room: string, level: string) {
  return pino({ level, base: { room }, timestamp: pino.stdTimeFunctions.isoTime }, OUTPUT);
}
