import { EXIT } from '../../lib/errors.ts';
import { type AddCommand, loadCommandConfig, printJson, printLines } from '../command.ts';
import { ALERT_PATH_CHECKS, TEST_ALERT_CHECK } from '../doctor/alert-path.ts';
import { BACKUP_CHECKS } from '../doctor/backup-checks.ts';
import { CHECKS, type Finding, runChecks } from '../doctor/checks.ts';

/** `swarm doctor`: looks at everything that can be wrong before it is; exit code 1 with a remedy for each problem. */
export const addDoctorCommand: AddCommand = (program) => {
  program
    .command('doctor')
    .description('check this machine and the settings; one line and a remedy for each problem')
    .option('--send-test-alert', 'also send one alert through the whole path, and say whether it arrived')
    .option('--json', 'print the findings as JSON')
    .action(async (options: { json?: true; sendTestAlert?: true }) => {
      const checks = [
        ...CHECKS,
        ...BACKUP_CHECKS,
        ...ALERT_PATH_CHECKS,
        ...(options.sendTestAlert ? [TEST_ALERT_CHECK] : []),
      ];
      const findings = await runChecks(checks, loadCommandConfig());
      if (options.json) printJson(findings);
      else printLines(findings.map(describe));
      if (findings.some((finding) => finding.level === 'problem')) process.exitCode = EXIT.failed;
    });
};

function describe({ level, check, message, remedy }: Finding): string {
  const mark = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' }[level];
  return `${mark}  ${check}: ${message}${remedy ? ` → ${remedy}` : ''}`;
}
