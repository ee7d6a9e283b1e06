import { dirname } from 'node:path';
import { findProjectFile } from '../../../lib/project-file.ts';
import { askProgram } from '../../program.ts';
import { attention, type Finding, notHere, ok, type WorkContext } from '../task.ts';

const TIMEOUT_MS = 90_000;
const SEVERITIES = ['critical', 'high', 'moderate', 'low'] as const;

/** What npm's registry knows of weaknesses of the packages this program runs on. */
export async function checkVulnerabilities({ signal }: WorkContext): Promise<Finding> {
  const folder = findFolder();
  const args = ['audit', '--json', '--omit=dev', '--logs-max=0', '--no-fund'];
  const end =
    folder === undefined ? undefined : await askProgram('npm', args, { folder, signal, timeoutMs: TIMEOUT_MS });
  const counts = end === undefined ? undefined : readCounts(end.stdout);
  if (counts === undefined) return notHere({ it: 'npm audit non risponde qui', en: 'npm audit has no answer here' });
  const found = SEVERITIES.filter((severity) => counts[severity] > 0).map(
    (severity) => `${counts[severity]} ${severity}`,
  );
  if (found.length === 0) return ok({ it: 'nessuna vulnerabilità nota', en: 'no known vulnerability' }, counts);
  const text = { it: `vulnerabilità: ${found.join(', ')}`, en: `vulnerabilities: ${found.join(', ')}` };
  return (counts.critical + counts.high > 0 ? attention : ok)(text, counts);
}

function findFolder(): string | undefined {
  try {
    return dirname(findProjectFile('package-lock.json'));
  } catch {
    return undefined;
  }
}

/** Undefined if it is no report: without a network npm prints an error as JSON. */
function readCounts(stdout: string): Readonly<Record<(typeof SEVERITIES)[number], number>> | undefined {
  try {
    const { metadata } = JSON.parse(stdout) as { metadata?: { vulnerabilities?: Readonly<Record<string, unknown>> } };
    const counts = SEVERITIES.map((severity) => [severity, metadata?.vulnerabilities?.[severity]] as const);
    if (!counts.every(([, count]) => Number.isInteger(count))) return undefined;
    return Object.fromEntries(counts) as Record<(typeof SEVERITIES)[number], number>;
  } catch {
    return undefined;
  }
}
