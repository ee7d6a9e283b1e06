import { readFileSync } from 'node:fs';

/** They mirror rows, which can be deleted: a counter that drops looks like a process that began again. */
export const ROW_COUNTERS = [
  'swarm_tasks_total',
  'swarm_tasks_success_total',
  'swarm_tasks_failed_total',
  'swarm_tasks_unknown_total',
  'swarm_runs_total',
  'swarm_lessons_total',
  'swarm_patterns_total',
  'swarm_task_duration_seconds',
  'swarm_tokens_total',
  'swarm_cost_usd_total',
];

/** Every metric of the golden texts, without the parts of histograms. */
export const EXPORTED: ReadonlySet<string> = new Set(
  ['metrics.txt', 'scheduler-families.txt', 'orchestrator-families.txt'].flatMap((file) =>
    [...readFileSync(new URL(`../golden/${file}`, import.meta.url), 'utf8').matchAll(/^# TYPE (\S+)/gm)].map(
      ([, name]) => name,
    ),
  ),
);

/** A metric in an expression: its range, if it has one, and the functions around it, the outermost first. */
export interface MetricUse {
  readonly name: string;
  readonly range: string | undefined;
  readonly within: readonly string[];
}

/** The metrics of an expression: names that are no string, matcher, label list, function or keyword. */
export function metricsIn(expression: string): MetricUse[] {
  const bare = expression
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const within: string[] = [];
  const uses: MetricUse[] = [];
  const token =
    /(?<![\w:.$])(?<called>[a-zA-Z_:][\w:]*)?\s*\(|\)|(?<![\w:.$])(?<name>[a-zA-Z_:][\w:]*)\s*(?<range>\[[^\]]*\])?/g;
  for (const { 0: text, groups = {} } of bare.matchAll(token)) {
    if (text === ')') within.pop();
    else if (text.endsWith('(')) within.push(groups.called ?? '');
    else if (groups.name && !KEYWORDS.has(groups.name))
      uses.push({ name: groups.name, range: groups.range?.slice(1, -1), within: [...within] });
  }
  return uses;
}

/** A histogram's parts belong to one metric. */
export const familyOf = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, '');

const KEYWORDS = new Set(['and', 'or', 'unless', 'offset', 'bool']);
