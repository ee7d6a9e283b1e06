import type { Config } from '../lib/config.ts';
import type { Version } from '../lib/version.ts';
import type { LatestTask } from './latest-tasks.ts';
import type { Scrape } from './scrape.ts';

/** What the page shows. */
export interface StatusPage {
  readonly scrape: Scrape;
  /** Of those who gave the password. */
  readonly latest: readonly LatestTask[] | undefined;
  readonly lastError: { readonly message: string; readonly atMs: number } | undefined;
  readonly version: Version;
  readonly config: Pick<
    Config,
    'language' | 'grafanaUrl' | 'prometheusUrl' | 'alertmanagerUrl' | 'runbookUrl' | 'adminPassword'
  >;
  readonly nowMs: number;
}

/** In the query of an address it asks for the texts of tasks, and so for the password. */
export const TEXTS = 'tasks';

const ITALIAN = {
  title: 'CervellaSwarm Monitor',
  well: 'Tutto bene: la memoria dello sciame si legge.',
  partly: 'Una parte dei dati manca.',
  unreadable: 'La memoria dello sciame non si legge.',
  loading: 'Sto leggendo la memoria per la prima volta…',
  demo: 'Dati di prova: questa memoria è inventata.',
  facts: 'In breve',
  tasks: 'Task contati',
  unknown: 'di cui con esito sconosciuto',
  unknownShort: 'sconosciuti',
  ratio: 'Successo nelle ultime 24 ore',
  noRatio: 'nessun esito noto',
  lastTask: 'Ultimo task',
  modified: 'Ultima scrittura nella memoria',
  schema: 'Forma delle tabelle',
  never: 'mai',
  ago: 'fa',
  latest: 'Ultimi task',
  noTasks: 'Ancora nessuno.',
  success: 'riuscito',
  failed: 'fallito',
  unknownOutcome: 'esito sconosciuto',
  texts: 'Testi degli ultimi task',
  collectors: 'Raccoglitori',
  fine: 'bene',
  broken: 'fermo',
  lastError: 'Ultimo errore',
  noError: 'Nessun errore dall’avvio.',
  links: 'Collegamenti',
  metrics: 'Metriche',
  health: 'Vivo?',
  ready: 'Pronto?',
  runbook: 'Guida agli allarmi',
  version: 'Versione',
  locale: 'it-IT',
} as const;

const ENGLISH: Record<keyof typeof ITALIAN, string> = {
  title: 'CervellaSwarm Monitor',
  well: 'All is well: the swarm memory can be read.',
  partly: 'Part of the data is missing.',
  unreadable: 'The swarm memory cannot be read.',
  loading: 'Reading the memory for the first time…',
  demo: 'Demo data: this memory is made up.',
  facts: 'In short',
  tasks: 'Tasks counted',
  unknown: 'of which with unknown outcome',
  unknownShort: 'unknown',
  ratio: 'Success in the last 24 hours',
  noRatio: 'no known outcome',
  lastTask: 'Last task',
  modified: 'Memory last written to',
  schema: 'Shape of the tables',
  never: 'never',
  ago: 'ago',
  latest: 'Latest tasks',
  noTasks: 'None yet.',
  success: 'done',
  failed: 'failed',
  unknownOutcome: 'outcome unknown',
  texts: 'Texts of the latest tasks',
  collectors: 'Collectors',
  fine: 'fine',
  broken: 'down',
  lastError: 'Last error',
  noError: 'No error since the start.',
  links: 'Links',
  metrics: 'Metrics',
  health: 'Alive?',
  ready: 'Ready?',
  runbook: 'Runbook',
  version: 'Version',
  locale: 'en-GB',
};

type Words = Record<keyof typeof ITALIAN, string>;

/** The status page as HTML: plain, for a phone, nothing on it that is not escaped. */
export function renderStatusPage(page: StatusPage): string {
  const words: Words = page.config.language === 'it' ? ITALIAN : ENGLISH;
  const [state, verdict] = judge(page.scrape, words);
  return `<!doctype html>
<html lang="${page.config.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${words.title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${words.title}</h1>
<p class="verdict ${state}" role="status">${escapeHtml(verdict)}</p>
${page.scrape.problem ? `<p>${escapeHtml(page.scrape.problem)}</p>` : ''}
${page.scrape.facts?.isDemo ? `<p class="demo">${words.demo}</p>` : ''}
${factsSection(page, words)}
${latestSection(page, words)}
${collectorsSection(page, words)}
<h2>${words.lastError}</h2>
<p>${page.lastError ? `${escapeHtml(page.lastError.message)} (${ago(page.lastError.atMs, page.nowMs, words)})` : words.noError}</p>
${linksSection(page, words)}
<footer>${words.version} ${escapeHtml(page.version.version)} (${escapeHtml(page.version.revision.slice(0, 12))}) · Node ${process.versions.node}</footer>
</body>
</html>
`;
}

/** Text as HTML, safe between tags and inside double quotes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

function judge(scrape: Scrape, words: Words): ['good' | 'bad' | 'wait', string] {
  if (scrape.problem !== undefined) return scrape.isLoading ? ['wait', words.loading] : ['bad', words.unreadable];
  return scrape.collectors.some((each) => each.error !== undefined) ? ['bad', words.partly] : ['good', words.well];
}

function factsSection({ scrape: { facts }, nowMs }: StatusPage, words: Words): string {
  if (!facts) return '';
  const ratio = facts.successRatio24h === undefined ? words.noRatio : percent(facts.successRatio24h, words);
  const rows = [
    [words.tasks, String(facts.tasks)],
    [words.unknown, String(facts.unknown)],
    [words.ratio, `${ratio} (${facts.unknown24h} ${words.unknownShort})`],
    [words.lastTask, facts.lastTaskMs === undefined ? words.never : ago(facts.lastTaskMs, nowMs, words)],
    [words.modified, ago(facts.modifiedMs, nowMs, words)],
    [words.schema, facts.schema],
  ];
  return `<h2>${words.facts}</h2>
<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}

function latestSection({ latest, nowMs }: StatusPage, words: Words): string {
  if (!latest) return '';
  const outcomes = {
    success: `<span class="good">${words.success}</span>`,
    failed: `<span class="bad">${words.failed}</span>`,
    unknown: words.unknownOutcome,
  };
  const items = latest.map(({ agent, project, outcome, endedMs, text, error }) => {
    const when = endedMs === undefined ? undefined : ago(endedMs, nowMs, words);
    const where = [project, when].filter((each) => each !== undefined).join(' · ');
    const texts = [text, error].filter(Boolean).map((each) => `<p>${escapeHtml(each)}</p>`);
    return `<li><b>${escapeHtml(agent)}</b> ${outcomes[outcome]} <small>${escapeHtml(where)}</small>${texts.join('')}</li>`;
  });
  const list = items.length === 0 ? `<p>${words.noTasks}</p>` : `<ol>${items.join('\n')}</ol>`;
  return `<h2>${words.latest}</h2>\n${list}`;
}

/** Written by hand: Intl would load 8 MB of language data for one number. */
function percent(ratio: number, words: Words): string {
  const text = (ratio * 100).toFixed(1);
  return `${words.locale === 'it-IT' ? text.replace('.', ',') : text} %`;
}

function collectorsSection({ scrape }: StatusPage, words: Words): string {
  const items = scrape.collectors.map(({ name, error, durationSeconds }) => {
    const state =
      error === undefined ? `<span class="good">${words.fine}</span>` : `<span class="bad">${words.broken}</span>`;
    const detail = error === undefined ? `${(durationSeconds * 1_000).toFixed(1)} ms` : escapeHtml(error);
    return `<li><b>${escapeHtml(name)}</b> ${state} <small>${detail}</small></li>`;
  });
  return `<h2>${words.collectors}</h2>\n<ul>${items.join('\n')}</ul>`;
}

function linksSection({ config }: StatusPage, words: Words): string {
  const links = [
    [config.adminPassword === undefined ? undefined : `/?${TEXTS}`, words.texts],
    ['/metrics', words.metrics],
    ['/healthz', words.health],
    ['/readyz', words.ready],
    [config.grafanaUrl, 'Grafana'],
    [config.prometheusUrl, 'Prometheus'],
    [config.alertmanagerUrl, 'Alertmanager'],
    [config.runbookUrl, words.runbook],
  ].flatMap(([url, name]) => (url ? [`<li><a href="${escapeHtml(url)}">${name}</a></li>`] : []));
  return `<h2>${words.links}</h2>\n<ul>${links.join('')}</ul>`;
}

/** A span of time in its largest whole unit: needs no time zone, so it is right wherever it is read. */
function ago(thenMs: number, nowMs: number, words: Words): string {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1_000));
  const units = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const;
  const [size, unit] = units.find(([each]) => seconds >= each) ?? units[3];
  const name = unit === 'd' && words.locale === 'it-IT' ? 'g' : unit;
  return `${Math.floor(seconds / size)} ${name} ${words.ago}`;
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 1rem; max-width: 42rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; margin: 0 0 .5rem; }
h2 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
.verdict { padding: .7rem 1rem; border-radius: .5rem; color: #fff; font-weight: 600; }
p.good { background: #1a7f37; } p.bad { background: #b42318; } p.wait { background: #6b5900; }
span.good { color: #1a7f37; } span.bad { color: #d92d20; font-weight: 600; }
.demo { border: 2px dashed currentColor; padding: .4rem .8rem; border-radius: .5rem; }
dl { display: grid; grid-template-columns: 1fr auto; gap: .2rem 1rem; margin: 0; }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
ul, ol { padding-left: 0; list-style: none; margin: 0; }
li p { margin: .1rem 0; white-space: pre-wrap; }
li { padding: .25rem 0; border-top: 1px solid #8884; }
a { display: inline-block; padding: .3rem 0; }
footer { margin-top: 2rem; opacity: .7; font-size: .85rem; }
@media (prefers-color-scheme: dark) { span.good { color: #4ac26b; } span.bad { color: #ff7b72; } }
`;
