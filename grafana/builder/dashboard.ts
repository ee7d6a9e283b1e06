import {
  AnnotationQueryBuilder,
  CustomVariableBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE, type Placed } from './panels.ts';

/** Panels under one heading, in order; they flow from left to right and wrap. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Placed[];
}

/** A dashboard as it is written down in dashboards/. */
export interface DashboardSpec {
  /** Also the name of its file, and what links and alerts point at. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Which of the three levels it belongs to. */
  readonly level: 'executive' | 'operational' | 'details';
  readonly variables: readonly (keyof typeof VARIABLES)[];
  /** How far back it looks when it is opened. */
  readonly from: string;
  readonly rows: readonly Row[];
}

const COLUMNS = 24;
const ALL = { selected: true, text: 'All', value: '$__all' };

/** What can be chosen on top of a dashboard; a value is always saved, so that nothing is empty when it is opened. */
const VARIABLES = {
  agent: () => chooseLabel('agent', 'Agente', 'label_values(swarm_agent_tasks, agent)'),
  project: () => chooseLabel('project', 'Progetto', 'label_values(swarm_runs_total, project)'),
  window: () =>
    new CustomVariableBuilder('window')
      .label('Finestra')
      .values('1h,24h,7d,30d')
      .current({ selected: true, text: '7d', value: '7d' }),
};

/** Grafana's JSON of a dashboard: classic panels, with an id that Grafana gives. */
export function buildDashboard(spec: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags(['swarm', spec.level])
    .editable()
    .time({ from: spec.from, to: 'now' })
    .refresh('1m')
    .timezone('browser')
    .annotation(
      new AnnotationQueryBuilder()
        .name('Allarmi')
        .datasource(DATASOURCE)
        .enable(true)
        .iconColor('red')
        .titleFormat('{{alertname}}')
        .expr('ALERTS{alertstate="firing",alertname!="Watchdog"}'),
    )
    .link(
      new DashboardLinkBuilder('Cruscotti')
        .type(DashboardLinkType.Dashboards)
        .tags(['swarm'])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    );
  for (const name of spec.variables) builder.withVariable(VARIABLES[name]());
  let top = 0;
  for (const { title, panels } of spec.rows) {
    builder.withRow(new RowBuilder(title).gridPos({ x: 0, y: top, w: COLUMNS, h: 1 }));
    top = placePanels(builder, panels, top + 1);
  }
  const dashboard = builder.build();
  const panels = (dashboard.panels ?? []).map((panel, index) => ({ ...panel, id: index + 1 }));
  // Null: Grafana gives each installation an id of its own, and knows the dashboard by its uid.
  return { ...dashboard, id: null, panels } as unknown as Dashboard;
}

/** Lets panels flow; returns where the next row begins. */
function placePanels(builder: DashboardBuilder, panels: readonly Placed[], from: number): number {
  let [x, y, tallest] = [0, from, 0];
  for (const { panel, width, height } of panels) {
    if (x + width > COLUMNS) [x, y, tallest] = [0, y + tallest, 0];
    builder.withPanel(panel.gridPos({ x, y, w: width, h: height }));
    x += width;
    tallest = Math.max(tallest, height);
  }
  return y + tallest;
}

function chooseLabel(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(query)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current(ALL)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}
