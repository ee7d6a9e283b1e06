import type { DashboardSpec } from './dashboard.ts';
import { agents } from './dashboards/agents.ts';
import { costs } from './dashboards/costs.ts';
import { executive } from './dashboards/executive.ts';
import { learning } from './dashboards/learning.ts';
import { operational } from './dashboards/operational.ts';
import { tasks } from './dashboards/tasks.ts';

/** Every dashboard, from the overview down. To add one: a file in dashboards/, and a line here. */
export const DASHBOARDS: readonly DashboardSpec[] = [executive, operational, agents, tasks, learning, costs];
