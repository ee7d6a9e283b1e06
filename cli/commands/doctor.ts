import { type Config, readEnvironment } from '../../lib/config.ts';
import { EXIT } from '../../lib/errors.ts';
import { withRunFile } from '../../lib/run-file.ts';
import { type AddCommand, loadCommandConfig, printJson, printLines } from '../command.ts';
import { ALERT_PATH_CHECKS, TEST_ALERT_CHECK } from '../doctor/alert-path.ts';
import { BACKUP_CHECKS } from '../doctor/backup-checks.ts';
import { CHECKS, type Finding, runChecks } from '../doctor/checks.ts';
import { DEPLOYMENT_CHECKS } from '../doctor/deployment.ts';
import { DOCKER_CHECKS } from '../doctor/docker.ts';
import { databaseInside, readDotEnv } from '../doctor/dot-env.ts';
import { MACHINE_CHECKS } from '../doctor/machine.ts';
import { SHIPPING_CHECK } from '../doctor/shipping.ts';

/** Every check, in the order they are shown. */
const ALL_CHECKS = [
  ...CHECKS,
  SHIPPING_CHECK,
  ...BACKUP_CHECKS,
  ...MACHINE_CHECKS,
  ...DOCKER_CHECKS,
  ...DEPLOYMENT_CHECKS,
  ...ALERT_PATH_CHECKS,
];

/** `swarm doctor`: looks at everything that can be wrong before it is; exit code 1 with a remedy for each problem. */
export const addDoctorCommand: AddCommand = (program) => {
  program
    .command('doctor')
    .description('check this machine and the settings; one line and a remedy for each problem')
    .option('--send-test-alert', 'also send one alert through the whole path, and say whether it arrived')
    .option('--json', 'print the findings as JSON')
    .action(async (options: { json?: true; sendTestAlert?: true }) => {
      const checks = [...ALL_CHECKS, ...(options.sendTestAlert ? [TEST_ALERT_CHECK] : [])];
      const findings = await runChecks(checks, loadDoctorConfig());
      if (options.json) printJson(findings);
      else printLines(findings.map(describe));
      if (findings.some((finding) => finding.level === 'problem')) process.exitCode = EXIT.failed;
    });
};

/** Where somebody means to deploy, the memory is the one the containers will see, unless the environment names another. */
function loadDoctorConfig(): Config {
  const config = loadCommandConfig();
  const env = readDotEnv();
  const isNamed = Boolean(withRunFile(readEnvironment()).SWARM_DB_PATH);
  return env === undefined || isNamed ? config : { ...config, swarmDbPath: databaseInside(env) };
}

function describe({ level, check, message, remedy }: Finding): string {
  const mark = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' }[level];
  return `${mark}  ${check}: ${message}${remedy ? ` → ${remedy}` : ''}`;
}
