import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from './errors.ts';
import type { ManualMinutes } from './memory/week-figures.ts';
import { type Check, readChecks } from './project-checks.ts';
import { ARGUMENT_NAME, ARGUMENT_NAME_EXPECTED, MODEL_NAME, MODEL_NAME_EXPECTED } from './queue/argument-name.ts';

const DEFAULT_MANUAL_MINUTES = 30;
const DEFAULT_CONCURRENCY = 1;
const MOST_CONCURRENCY = 20;

/** A project that agents work on. */
export interface Project {
  readonly name: string;
  readonly path: string;
  /** How many tasks may work on it at the same time. */
  readonly concurrency: number;
  readonly repository?: string;
  readonly defaultModel?: string;
  /** Made by `npm start` for a first look: its agent is built in and needs no model. */
  readonly isDemo: boolean;
  /** What the health check looks at besides disk and git. */
  readonly checks: readonly Check[];
}

/**
 * The projects of projects.json by name; none without the file.
 * @throws UsageError if the file cannot be read, or naming the project that is wrong.
 */
export function readProjects(path: string): ReadonlyMap<string, Project> {
  const stated: unknown = readProjectsFile(path)?.projects ?? [];
  if (!Array.isArray(stated)) throw wrongProject(path, '"projects"', 'expected a list');
  const projects = stated.map((each, index) => toProject(each, `project ${index + 1}`, path));
  const names = projects.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrongProject(path, `project "${twice}"`, 'it is there twice');
  return new Map(projects.map((project) => [project.name, project]));
}

function toProject(stated: unknown, place: string, file: string): Project {
  const { name, path, concurrency, repository, defaultModel, isDemo, checks } = (stated ?? {}) as Record<
    string,
    unknown
  >;
  if (!isText(name)) throw wrongProject(file, place, 'it has no name');
  // No task could ask for it, and a terminal is shown it.
  if (!ARGUMENT_NAME.test(name)) throw wrongProject(file, place, `of its name, ${ARGUMENT_NAME_EXPECTED}`);
  const named = `project "${name}"`;
  if (!isText(path)) throw wrongProject(file, named, 'it has no path');
  if (isText(defaultModel) && !MODEL_NAME.test(defaultModel)) {
    throw wrongProject(file, named, `of its defaultModel, ${MODEL_NAME_EXPECTED}`);
  }
  const limit = concurrency ?? DEFAULT_CONCURRENCY;
  if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > MOST_CONCURRENCY) {
    throw wrongProject(
      file,
      named,
      `its concurrency is ${JSON.stringify(limit).slice(0, 40)}, expected a whole number from 1 to ${MOST_CONCURRENCY}`,
    );
  }
  return {
    name,
    path: resolve(dirname(file), path),
    concurrency: limit as number,
    ...(isText(repository) ? { repository } : {}),
    ...(isText(defaultModel) ? { defaultModel } : {}),
    isDemo: isDemo === true,
    checks: toChecks(checks, named, file),
  };
}

function toChecks(stated: unknown, named: string, file: string): readonly Check[] {
  try {
    return readChecks(stated, dirname(file));
  } catch (error) {
    throw wrongProject(file, named, (error as Error).message);
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function wrongProject(file: string, what: string, reason: string): UsageError {
  return new UsageError(`Could not use ${what} of "${file}": ${reason}.`, 'Correct it, then start again.');
}

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

function readProjectsFile(path: string): ProjectsFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`Could not read "${path}".`, 'Check PROJECTS_FILE and its permissions.', { cause: error });
  }
  let stated: unknown;
  try {
    // Some editors begin a file with a byte order mark.
    stated = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`Could not read "${path}": it is not valid JSON.`, 'Correct it, then start again.', {
      cause: error,
    });
  }
  if (typeof stated === 'object' && stated !== null && !Array.isArray(stated)) return stated;
  throw new UsageError(
    `Could not read "${path}": expected an object such as {"projects": []}.`,
    'Correct it, then start again.',
  );
}

/** What projects.json may hold; every part is checked by whoever uses it. */
interface ProjectsFile {
  readonly projects?: unknown;
  readonly manualMinutes?: unknown;
}
