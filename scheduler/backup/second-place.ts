import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SchedulerConfig } from '../../lib/config.ts';
import { SEALED_ENDING, temporaryName } from './file-names.ts';
import { assertRoom, explainFolder, removeTemporary, syncFolder } from './folder.ts';
import { packSealed } from './packing.ts';
import { runSecondCommand } from './second-command.ts';

/** Where encrypted copies go. */
export interface SecondPlace {
  /**
   * Sends a backup there. Sent twice it is there once.
   * @throws OperatorError saying why it could not be sent.
   */
  readonly send: (file: string, signal?: AbortSignal) => Promise<void>;
  /** Removes a copy that is not kept any longer, where we can. */
  readonly remove: (file: string) => void;
}

/** What there is of a second place: it is used, or why not. */
export type SecondPlaceState = { readonly place: SecondPlace } | { readonly off: string };

type SecondConfig = Pick<SchedulerConfig, 'backupSecondDir' | 'backupSecondCommand' | 'backupPassphrase'>;

const PRIVATE = 0o700;

/** Whether somebody wants a second place, even if nothing can be sent there. */
export function isSecondPlaceWanted(config: SecondConfig): boolean {
  return config.backupSecondDir !== undefined || config.backupSecondCommand !== undefined;
}

/** The second place of these settings. Nothing leaves this machine that is not encrypted. */
export function findSecondPlace(config: SecondConfig): SecondPlaceState {
  const { backupSecondDir: folder, backupSecondCommand: command, backupPassphrase: passphrase } = config;
  if (!isSecondPlaceWanted(config)) {
    return { off: 'there is no second place: set BACKUP_SECOND_DIR or BACKUP_SECOND_COMMAND' };
  }
  if (passphrase === undefined) {
    return { off: 'nothing is sent to the second place: BACKUP_PASSPHRASE is not set' };
  }
  return {
    place: {
      send: async (file, signal) => {
        if (folder !== undefined) await sendToFolder(file, folder, { passphrase, signal });
        if (command !== undefined) await sendByCommand(file, command, { passphrase, signal });
      },
      remove: (file) => {
        if (folder !== undefined) rmSync(join(folder, sealedName(file)), { force: true });
      },
    },
  };
}

/** What the encrypted copy of a backup is called. */
export function sealedName(file: string): string {
  return `${basename(file)}${SEALED_ENDING}`;
}

interface Sending {
  readonly passphrase: string;
  readonly signal: AbortSignal | undefined;
}

async function sendToFolder(file: string, folder: string, { passphrase, signal }: Sending): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE });
    removeTemporary(folder);
    assertRoom(folder, statSync(file).size);
    const temporary = join(folder, temporaryName(randomUUID()));
    await packSealed({ from: file, to: temporary, signal }, passphrase);
    await rename(temporary, join(folder, sealedName(file)));
    await syncFolder(folder);
  } catch (error) {
    throw explainFolder(folder, error);
  }
}

async function sendByCommand(file: string, command: string, { passphrase, signal }: Sending): Promise<void> {
  // A folder of its own, so that the file has the name it is to have there.
  const folder = join(dirname(file), temporaryName(randomUUID()));
  mkdirSync(folder, { mode: PRIVATE });
  try {
    assertRoom(folder, statSync(file).size);
    const to = join(folder, sealedName(file));
    await packSealed({ from: file, to, signal }, passphrase);
    await runSecondCommand(command, to, signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
