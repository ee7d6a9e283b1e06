import { UnreachableError, UsageError } from '../../lib/errors.ts';
import type { Project } from '../../lib/projects.ts';
import { oneLine } from '../queue/describe-task.ts';

/** Where a trial is made, and by whom. */
export interface TrialPlace {
  readonly project: string;
  readonly agent: string;
  /** Why nothing real is tried there; undefined if it is. */
  readonly notReal: string | undefined;
}

/** One that Claude Code brings with it. */
const BUILT_IN_AGENT = 'general-purpose';
const DEMO_AGENT = 'demo';

/** What the user asked for. */
export interface TrialWish {
  readonly project?: string | undefined;
  readonly agent?: string | undefined;
}

/**
 * The project and agent of a trial: what was asked for, else the only real project there is.
 * @throws UsageError if there is no such project, or none, or more than one to choose from.
 */
export function choosePlace(projects: ReadonlyMap<string, Project>, wish: TrialWish): TrialPlace {
  const project = chooseProject(projects, wish.project);
  const agent = wish.agent ?? (project.isDemo ? DEMO_AGENT : BUILT_IN_AGENT);
  const isDemo = project.isDemo && agent === DEMO_AGENT;
  const notReal = 'the demo project has an agent of its own, which needs no model';
  return { project: project.name, agent, notReal: isDemo ? notReal : undefined };
}

/**
 * The demo in place of a real trial that cannot be made because of `fault`.
 * @throws UnreachableError if there is no demo project either.
 */
export function fallBackToDemo(projects: ReadonlyMap<string, Project>, fault: string): TrialPlace {
  const demo = [...projects.values()].find(({ isDemo }) => isDemo);
  if (demo) return { project: demo.name, agent: DEMO_AGENT, notReal: fault };
  throw new UnreachableError(
    `Could not try a real agent: ${fault}`,
    'Then run swarm trial again. Without an agent, `npm start` in a folder without projects.json has a demo to try.',
  );
}

function chooseProject(projects: ReadonlyMap<string, Project>, wished: string | undefined): Project {
  const all = [...projects.values()];
  const names = all.map(({ name }) => name).join(', ') || 'none';
  if (wished !== undefined) {
    const project = projects.get(wished);
    if (project) return project;
    throw new UsageError(
      `Could not find project "${oneLine(wished, 100)}" in projects.json (known: ${names}).`,
      'Add it there, or set PROJECTS_FILE.',
    );
  }
  const real = all.filter(({ isDemo }) => !isDemo);
  const candidates = real.length > 0 ? real : all;
  if (candidates.length === 1) return candidates[0];
  throw new UsageError(
    `Could not choose a project for the trial (known: ${names}).`,
    all.length === 0 ? 'Add one to projects.json, or set PROJECTS_FILE.' : 'Name one with --project.',
  );
}
