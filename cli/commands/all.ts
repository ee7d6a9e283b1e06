import type { AddCommand } from '../command.ts';

/** Every command by its name, in the order of the help. Only what is asked for is loaded: all of them take half a second. */
export const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  up: async () => (await import('./up.ts')).addUpCommand,
  enqueue: async () => (await import('./enqueue.ts')).addEnqueueCommand,
  queue: async () => (await import('./queue.ts')).addQueueCommand,
  trace: async () => (await import('./trace.ts')).addTraceCommand,
  fix: async () => (await import('./fix.ts')).addFixCommand,
  trial: async () => (await import('./trial.ts')).addTrialCommand,
  schedule: async () => (await import('./schedule.ts')).addScheduleCommand,
  backup: async () => (await import('./backup.ts')).addBackupCommand,
  restore: async () => (await import('./restore.ts')).addRestoreCommand,
  status: async () => (await import('./status.ts')).addStatusCommand,
  kpi: async () => (await import('./kpi.ts')).addKpiCommand,
  goal: async () => (await import('./goal.ts')).addGoalCommand,
  health: async () => (await import('./health.ts')).addHealthCommand,
  retro: async () => (await import('./retro.ts')).addRetroCommand,
  lessons: async () => (await import('./lessons.ts')).addLessonsCommand,
  search: async () => (await import('./search.ts')).addSearchCommand,
  doctor: async () => (await import('./doctor.ts')).addDoctorCommand,
  'alertmanager-config': async () => (await import('./alertmanager-config.ts')).addAlertmanagerConfigCommand,
  demo: async () => (await import('./demo.ts')).addDemoCommand,
  ship: async () => (await import('./ship.ts')).addShipCommand,
  receive: async () => (await import('./receive.ts')).addReceiveCommand,
};
