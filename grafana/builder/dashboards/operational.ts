import type { DashboardSpec } from '../dashboard.ts';
import { componentsRow } from './operational/components.ts';
import { hostRow } from './operational/host.ts';
import { queueRow } from './operational/queue.ts';
import { redisRow } from './operational/redis.ts';
import { upkeepRow } from './operational/upkeep.ts';

/** Level 2: does every part work? */
export const operational: DashboardSpec = {
  uid: 'swarm-operational',
  title: 'Sciame · Salute',
  description: 'Ogni parte funziona? Componenti, memoria, coda, Redis, calendario, copie, macchina.',
  level: 'operational',
  variables: [],
  from: 'now-24h',
  rows: [componentsRow, queueRow, redisRow, upkeepRow, hostRow],
};
