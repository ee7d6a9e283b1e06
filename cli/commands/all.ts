import type { AddCommand } from '../command.ts';
import { addAlertmanagerConfigCommand } from './alertmanager-config.ts';
import { addBackupCommand } from './backup.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { addEnqueueCommand } from './enqueue.ts';
import { addFixCommand } from './fix.ts';
import { addGoalCommand } from './goal.ts';
import { addHealthCommand } from './health.ts';
import { addKpiCommand } from './kpi.ts';
import { addLessonsCommand } from './lessons.ts';
import { addQueueCommand } from './queue.ts';
import { addReceiveCommand } from './receive.ts';
import { addRestoreCommand } from './restore.ts';
import { addRetroCommand } from './retro.ts';
import { addScheduleCommand } from './schedule.ts';
import { addSearchCommand } from './search.ts';
import { addShipCommand } from './ship.ts';
import { addStatusCommand } from './status.ts';
import { addTraceCommand } from './trace.ts';
import { addTrialCommand } from './trial.ts';
import { addUpCommand } from './up.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly AddCommand[] = [
  addUpCommand,
  addEnqueueCommand,
  addQueueCommand,
  addTraceCommand,
  addFixCommand,
  addTrialCommand,
  addScheduleCommand,
  addBackupCommand,
  addRestoreCommand,
  addStatusCommand,
  addKpiCommand,
  addGoalCommand,
  addHealthCommand,
  addRetroCommand,
  addLessonsCommand,
  addSearchCommand,
  addDoctorCommand,
  addAlertmanagerConfigCommand,
  addDemoCommand,
  addShipCommand,
  addReceiveCommand,
];
