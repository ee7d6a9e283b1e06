import { readFileSync } from 'node:fs';
import { UsageError } from './errors.ts';
import type { ManualMinutes } from './memory/week-figures.ts';

const DEFAULT_MANUAL_MINUTES = 30;

/**
 * `manualMinutes` of projects.json: how many minutes of a person's work one task stands for, by agent. Without the file,
 * or without the field, 30 for every agent.
 * @throws UsageError if the file cannot be read or holds something else than numbers there.
 */
export function readManualMinutes(path: string): ManualMinutes {
  const stated = readProjectsFile(path)?.manualMinutes ?? {};
  const entries = Object.entries(stated as Record<string, unknown>);
  const bad = entries.find(([, minutes]) => !isWholeMinutes(minutes));
  if (bad) {
    throw new UsageError(
      `Could not use "${path}": manualMinutes of "${bad[0]}" is ${JSON.stringify(bad[1])}, expected whole minutes, 0 to 1440.`,
      'Correct it, then start again.',
    );
  }
  const byAgent = new Map(entries as [string, number][]);
  return { default: byAgent.get('default') ?? DEFAULT_MANUAL_MINUTES, byAgent };
}

function isWholeMinutes(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1_440;
}

function readProjectsFile(path: string): { readonly manualMinutes?: unknown } | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`Could not read "${path}".`, 'Check PROJECTS_FILE and its permissions.', { cause: error });
  }
  try {
    return JSON.parse(text) as { manualMinutes?: unknown };
  } catch (error) {
    throw new UsageError(`Could not read "${path}": it is not valid JSON.`, 'Correct it, then start again.', {
      cause: error,
    });
  }
}
