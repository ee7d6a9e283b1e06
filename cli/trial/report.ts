import type { TaskView } from '../../lib/queue/task-view.ts';
import { alignColumns } from '../command.ts';
import { describeTask, oneLine } from '../queue/describe-task.ts';
import type { TrialPlace } from './place.ts';

/** What became of one task of a trial. */
export interface TrialResult {
  readonly name: string;
  readonly id: string;
  readonly state: string;
  readonly outcome: string | null;
  /** Time of agents. */
  readonly durationMs: number;
  readonly costUsd: number;
  /** Of all kinds together. */
  readonly tokens: number;
  readonly branch: string | null;
  readonly error: string | null;
}

/** A trial as it is printed. */
export interface TrialReport {
  /** Whether a real agent was tried. */
  readonly isReal: boolean;
  /** Why not. */
  readonly notReal: string | null;
  readonly isOk: boolean;
  readonly project: string;
  readonly agent: string;
  readonly capUsd: number;
  readonly costUsd: number;
  readonly tasks: readonly TrialResult[];
  /** Names of tasks that were not begun, because an earlier one is not over. */
  readonly notBegun: readonly string[];
}

/** One task as the report tells of it. */
export function toTrialResult(name: string, id: string, view: TaskView | undefined): TrialResult {
  const facts = view && describeTask(view);
  const { end, progress } = view ?? {};
  const tokens = end ? [end.tokens] : (progress?.usage ?? []).map((usage) => usage.tokens);
  return {
    name,
    id,
    state: facts?.state ?? 'unknown',
    outcome: facts?.outcome ?? null,
    durationMs: end?.durationMs ?? Math.round(progress?.agentMs ?? 0),
    costUsd: facts?.costUsd ?? 0,
    tokens: tokens.flatMap((each) => Object.values(each)).reduce((sum, each) => sum + each, 0),
    branch: facts?.branch ?? null,
    error: facts?.error ?? null,
  };
}

/** Puts a trial together. */
export function makeReport(
  { project, agent, notReal }: TrialPlace,
  capUsd: number,
  tasks: readonly TrialResult[],
  notBegun: readonly string[],
): TrialReport {
  return {
    isReal: notReal === undefined,
    notReal: notReal ?? null,
    isOk: notBegun.length === 0 && tasks.every(({ outcome }) => outcome === 'ok'),
    project,
    agent,
    capUsd,
    costUsd: tasks.reduce((sum, task) => sum + task.costUsd, 0),
    tasks,
    notBegun,
  };
}

/** A trial for people. */
export function describeReport(report: TrialReport): string[] {
  const { tasks, notBegun, costUsd, capUsd } = report;
  const rows = tasks.map((task) => [
    task.name,
    task.outcome ?? task.state,
    `${(task.durationMs / 1_000).toFixed(1)} s`,
    task.costUsd.toFixed(4),
    String(task.tokens),
    task.id,
  ]);
  const errors = tasks.filter(({ error }) => error !== null).map(({ name, error }) => `${name}: ${error}`);
  const branches = tasks.flatMap(({ branch }) => branch ?? []);
  const good = tasks.filter(({ outcome }) => outcome === 'ok').length;
  return [
    report.isReal
      ? `Agent ${report.agent} was tried on project ${report.project}.`
      : `NOTHING REAL WAS TRIED: ${oneLine(report.notReal ?? '', 500)}`,
    ...alignColumns([
      ['task', 'outcome', 'time', 'cost $', 'tokens', 'id'],
      ...rows,
      ...notBegun.map((name) => [name, 'not begun', '', '', '', '']),
    ]),
    '',
    ...errors.map((line) => oneLine(line, 500)),
    ...(branches.length > 0 ? [`Work was left on ${branches.join(', ')}.`] : []),
    `${good} of ${tasks.length + notBegun.length} went well, for ${costUsd.toFixed(2)} of at most ${capUsd.toFixed(2)} USD.`,
  ];
}
