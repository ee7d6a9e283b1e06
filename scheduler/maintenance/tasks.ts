import type { MaintenanceTask } from './task.ts';
import { checkBackups, checkRestoreDrill } from './work/backups.ts';
import { cleanUp } from './work/clean-up.ts';
import { reviewCosts, reviewErrors, reviewLessons, reviewSlowness } from './work/memory-trends.ts';
import { reviewNightAlerts } from './work/night-alerts.ts';
import { planCapacity, reviewResources } from './work/resources.ts';
import { checkVulnerabilities } from './work/vulnerabilities.ts';

/**
 * Every task of the deployment guide (5.2, and the schedule of 7): how often, done by whom, seen where. It is the only list;
 * docs/maintenance.md is made from it.
 */
export const MAINTENANCE_TASKS: readonly MaintenanceTask[] = [
  {
    id: 'night-alerts',
    every: 'daily',
    by: 'itself',
    words: { it: 'Allarmi notturni', en: 'Alerts of the night' },
    seenIn: 'message if there were any; Alertmanager',
    work: reviewNightAlerts,
  },
  {
    id: 'backup-check',
    every: 'daily',
    by: 'itself',
    words: { it: 'Copie fatte', en: 'Backups made' },
    seenIn: '`swarm_backup_last_success_timestamp_seconds`, alert BackupLate',
    work: checkBackups,
  },
  {
    id: 'error-trend',
    every: 'daily',
    by: 'itself',
    words: { it: 'Errori', en: 'Errors' },
    seenIn: 'dashboard swarm-executive, alerts on the success rate',
    work: reviewErrors,
  },
  {
    id: 'resource-trend',
    every: 'daily',
    by: 'itself',
    words: { it: 'Risorse', en: 'Resources' },
    seenIn: 'dashboard swarm-operational, alerts HostDiskHigh and HostMemoryHigh',
    work: reviewResources,
  },
  {
    id: 'lessons-review',
    every: 'weekly',
    by: 'itself',
    words: { it: 'Lezioni e pattern', en: 'Lessons and patterns' },
    seenIn: 'retro, `swarm_kpi{kpi="lessons_applied_ratio"}`',
    work: reviewLessons,
  },
  {
    id: 'cost-trend',
    every: 'weekly',
    by: 'itself',
    words: { it: 'Costi', en: 'Costs' },
    seenIn: 'retro, dashboard swarm-costs',
    work: reviewCosts,
  },
  {
    id: 'vulnerability-check',
    every: 'weekly',
    by: 'itself',
    words: { it: 'Vulnerabilità', en: 'Vulnerabilities' },
    seenIn: 'message if npm knows of any that is high or critical',
    work: checkVulnerabilities,
  },
  {
    id: 'slow-tasks',
    every: 'weekly',
    by: 'itself',
    words: { it: 'Task e letture lente', en: 'Slow tasks and readings' },
    seenIn: 'retro, `swarm_collector_duration_seconds`, `swarm_window_task_duration_seconds`',
    work: reviewSlowness,
  },
  {
    id: 'restore-test',
    every: 'weekly',
    by: 'itself',
    words: { it: 'Prova di ripristino', en: 'Restore drill' },
    seenIn: '`swarm_restore_drill_success`, alert RestoreDrillFailed',
    work: checkRestoreDrill,
  },
  {
    id: 'capacity',
    every: 'monthly',
    by: 'itself',
    words: { it: 'Capacità', en: 'Capacity' },
    seenIn: 'message if the disk is full within a month; dashboard swarm-operational',
    work: planCapacity,
  },
  {
    id: 'log-clean-up',
    every: 'monthly',
    by: 'itself',
    words: { it: 'Log e worktree vecchi', en: 'Old logs and worktrees' },
    seenIn: 'message if something was left',
    work: cleanUp,
  },
  {
    id: 'scaling-limits',
    every: 'monthly',
    by: 'person',
    words: {
      it: 'Soglie di scaling (WORKERS_MAX, SCALE_TARGET_*) ancora giuste? Guarda i veti',
      en: 'Scaling limits (WORKERS_MAX, SCALE_TARGET_*) still right? Look at the vetoes',
    },
    seenIn: 'checklist; dashboard swarm-operational',
  },
  {
    id: 'security-patches',
    every: 'monthly',
    by: 'person',
    words: {
      it: 'Patch di sicurezza: aggiorna la VM e le immagini, poi swarm doctor',
      en: 'Security patches: update the VM and the images, then swarm doctor',
    },
    seenIn: 'checklist',
  },
  {
    id: 'recovery-drill',
    every: 'monthly',
    by: 'person',
    words: {
      it: 'Drill: rimetti in piedi tutto da una copia, in una cartella vuota, entro 15 minuti',
      en: 'Drill: bring everything back from a backup, in an empty folder, within 15 minutes',
    },
    seenIn: 'checklist',
  },
  {
    id: 'security-audit',
    every: 'monthly',
    by: 'person',
    words: {
      it: 'Audit: chi può scrivere al bot, token ancora necessari, eventi di sicurezza del mese',
      en: 'Audit: who may write to the bot, tokens still needed, security events of the month',
    },
    seenIn: 'checklist; `swarm_security_events_total`',
  },
  {
    id: 'documentation',
    every: 'monthly',
    by: 'person',
    words: {
      it: 'Documentazione e projects.json dicono ancora il vero?',
      en: 'Do the documentation and projects.json still tell the truth?',
    },
    seenIn: 'checklist',
  },
  {
    id: 'security-review',
    every: 'quarterly',
    by: 'person',
    words: {
      it: 'Revisione di sicurezza completa: cambia i token, prova a entrare da fuori',
      en: 'Full security review: change the tokens, try to get in from outside',
    },
    seenIn: 'checklist',
  },
  {
    id: 'performance-benchmark',
    every: 'quarterly',
    by: 'person',
    words: {
      it: 'Benchmark: npm run bench:exporter e bench:queue, confronta con docs/performance.md',
      en: 'Benchmark: npm run bench:exporter and bench:queue, compare with docs/performance.md',
    },
    seenIn: 'checklist; docs/performance.md',
  },
  {
    id: 'cost-review',
    every: 'quarterly',
    by: 'person',
    words: {
      it: 'Costi: modelli giusti per i task? Budget e sprechi del trimestre',
      en: 'Costs: the right models for the tasks? Budgets and waste of the quarter',
    },
    seenIn: 'checklist; dashboard swarm-costs',
  },
  {
    id: 'dependencies',
    every: 'quarterly',
    by: 'person',
    words: {
      it: 'Dipendenze: npm outdated, aggiorna, npm test; anche Redis, Prometheus, Grafana',
      en: 'Dependencies: npm outdated, update, npm test; Redis, Prometheus, Grafana too',
    },
    seenIn: 'checklist',
  },
  {
    id: 'architecture-review',
    every: 'quarterly',
    by: 'person',
    words: {
      it: 'Architettura: cosa togliere, cosa manca, serve un’altra macchina?',
      en: 'Architecture: what to take away, what is missing, is another machine needed?',
    },
    seenIn: 'checklist; docs/decisions.md, docs/scale.md',
  },
];
