import { readEnvironment } from '../../lib/config.ts';
import { EXIT } from '../../lib/errors.ts';
import { createLog } from '../../lib/log.ts';
import { withRunFile } from '../../lib/run-file.ts';
import { backUp } from '../../scheduler/backup/back-up.ts';
import { isSecondPlaceWanted } from '../../scheduler/backup/second-place.ts';
import { SETTINGS_SOURCE } from '../../scheduler/backup/sources.ts';
import { openMonitorDb } from '../../scheduler/monitor-db.ts';
import { readSettings } from '../../scheduler/settings.ts';
import { type AddCommand, printJson, printLines } from '../command.ts';

/** `swarm backup`: both databases, now; exit code 1 if one of them could not be backed up or sent. */
export const addBackupCommand: AddCommand = (program) => {
  program
    .command('backup')
    .description('back up both databases now, while everything goes on; `swarm restore` brings one back')
    .option('--json', 'print the backups of the databases as JSON')
    .action(async (options: { json?: true }) => {
      const settings = readSettings(withRunFile(readEnvironment()));
      const db = openMonitorDb(settings.scheduler.monitorDbPath);
      try {
        const log = createLog('backup', 'silent');
        const { made, failed, notSent } = await backUp({ settings, db, log, clock: Date.now });
        if (options.json) printJson(made.filter(({ source }) => source !== SETTINGS_SOURCE).map(toJson));
        else
          printLines([
            ...made.map(({ file, bytes }) => `${file}  ${inMegabytes(bytes)}`),
            ...(notSent ? [notSent] : []),
          ]);
        // What is printed stays the list of backups; a second place that is not wanted is not missed.
        if (options.json && notSent && isSecondPlaceWanted(settings.scheduler)) process.stderr.write(`${notSent}\n`);
        for (const reason of failed) process.stderr.write(`${reason}\n`);
        if (failed.length > 0) process.exitCode = EXIT.failed;
      } finally {
        db.close();
      }
    });
};

function toJson(backup: { sourcePath: string; file: string; bytes: number; sha256: string }) {
  const { sourcePath: source, file, bytes, sha256 } = backup;
  return { source, file, bytes, sha256 };
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
