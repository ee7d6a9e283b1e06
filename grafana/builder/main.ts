// `npm run dashboards`: writes the JSON that Grafana is given. What it writes is committed; a test compares.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { findProjectFile } from '../../lib/project-file.ts';
import { DASHBOARDS } from './all.ts';
import { buildDashboard } from './dashboard.ts';

const folder = findProjectFile('grafana/dashboards');
for (const name of readdirSync(folder)) rmSync(`${folder}/${name}`);
for (const spec of DASHBOARDS) {
  writeFileSync(`${folder}/${spec.uid}.json`, `${JSON.stringify(buildDashboard(spec), null, 2)}\n`);
}
