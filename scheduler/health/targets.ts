import { type Check, defaultCheck } from '../../lib/project-checks.ts';
import type { Project } from '../../lib/projects.ts';

/** A project and all that is looked at. */
export interface Target {
  readonly project: string;
  readonly path: string;
  readonly checks: readonly Check[];
}

/** What belongs to no project of its own: the swarm's memory and its backups. */
const SWARM = 'swarm';

/** Of every project what it states, its disk and its repository; and of the swarm its memory and the backups of it. */
export function healthTargets(projects: Iterable<Project>, path: string): readonly Target[] {
  const stated = [...projects].map(({ name, path: projectPath, checks }) => ({
    project: name,
    path: projectPath,
    checks: withDefaults(checks, ['disk', 'git']),
  }));
  const own = stated.find(({ project }) => project === SWARM) ?? { project: SWARM, path, checks: [] };
  const swarm = { ...own, checks: withDefaults(own.checks, ['memory', 'backup']) };
  return [...stated.filter(({ project }) => project !== SWARM), swarm];
}

/** A default gives way to what is stated of its type, and to whatever bears its name. */
function withDefaults(
  checks: readonly Check[],
  types: readonly Parameters<typeof defaultCheck>[0][],
): readonly Check[] {
  const missing = types.filter((type) => !checks.some((check) => check.type === type || check.name === type));
  return [...checks, ...missing.map(defaultCheck)];
}
