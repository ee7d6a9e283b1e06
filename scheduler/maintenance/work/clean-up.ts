import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { utc } from '../../ledger.ts';
import { bytes } from '../../words.ts';
import { attention, type Finding, ok, type WorkContext } from '../task.ts';

const DAY_MS = 86_400_000;
/** The orchestrator keeps logs of tasks for 30 days and worktrees of failed ones for 7. */
const [OLDEST_LOG_MS, OLDEST_WORKTREE_MS] = [32 * DAY_MS, 9 * DAY_MS];
const KEPT_MS = 800 * DAY_MS;

/** Makes sure that the orchestrator clears away old logs and worktrees, and clears away what the maintenance itself noted. */
export async function cleanUp({ settings, db, nowMs }: WorkContext): Promise<Finding> {
  const removed = db.prepare('DELETE FROM maintenance_results WHERE run_utc < ?').run(utc(nowMs - KEPT_MS)).changes;
  db.prepare('DELETE FROM maintenance_checklist WHERE asked_at < ?').run(utc(nowMs - KEPT_MS));
  const logs = await listEntries(join(settings.work.workDir, 'logs'));
  const worktrees = await listEntries(join(settings.work.workDir, 'worktrees'));
  const logBytes = logs.reduce((sum, { size }) => sum + size, 0);
  const figures = { logFiles: logs.length, logBytes, worktrees: worktrees.length, removedRows: removed };
  const { it, en } = bytes(logBytes);
  const isLeft =
    logs.some(({ mtimeMs }) => nowMs - mtimeMs > OLDEST_LOG_MS) ||
    worktrees.some(({ mtimeMs }) => nowMs - mtimeMs > OLDEST_WORKTREE_MS);
  const text = {
    it: `log: ${logs.length} (${it}), worktree: ${worktrees.length}${isLeft ? '; alcuni più vecchi di quanto l’orchestrator dovrebbe lasciare' : ''}`,
    en: `logs: ${logs.length} (${en}), worktrees: ${worktrees.length}${isLeft ? '; some older than the orchestrator should leave them' : ''}`,
  };
  return (isLeft ? attention : ok)(text, figures);
}

/** What lies in a folder; nothing if it is not there. */
async function listEntries(folder: string): Promise<readonly { readonly size: number; readonly mtimeMs: number }[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)));
  return found.filter((each) => each !== undefined);
}
