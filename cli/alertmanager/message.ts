import type { Config } from '../../lib/config.ts';
import { UsageError } from '../../lib/errors.ts';

/** Where a message may point: only addresses that a phone can open. */
export interface Links {
  readonly runbook: string | undefined;
  readonly dashboard: string | undefined;
  readonly alertmanager: string | undefined;
}

/** How a channel wants text from outside escaped; Telegram's HTML is escaped by Alertmanager itself. */
export type Escaping = 'html' | 'slack' | 'none';

const WORDS = {
  it: {
    critical: 'CRITICO',
    warning: 'ATTENZIONE',
    info: 'INFO',
    resolved: 'RISOLTO',
    since: 'Da',
    until: 'Fino a',
    'how many': 'Quanti',
    'resolved now': 'risolti',
    'and more': 'altri',
    respond: 'Rispondere entro',
    'next working day': 'il prossimo giorno lavorativo',
    'what to do': 'Cosa fare',
    summary: 'summary',
    description: 'description',
  },
  en: {
    critical: 'CRITICAL',
    warning: 'WARNING',
    info: 'INFO',
    resolved: 'RESOLVED',
    since: 'Since',
    until: 'Until',
    'how many': 'How many',
    'resolved now': 'resolved',
    'and more': 'more',
    respond: 'Respond within',
    'next working day': 'next working day',
    'what to do': 'What to do',
    summary: 'summary_en',
    description: 'description_en',
  },
} as const;
const LINK_WORDS = { it: { silence: 'Silenzia' }, en: { silence: 'Silence' } } as const;

const SLACK_ESCAPE = '| reReplaceAll "&" "&amp;" | reReplaceAll "<" "&lt;" | reReplaceAll ">" "&gt;"';
const RUNBOOK_IN_REPOSITORY = 'docs/runbook.md';
/** The templates leave room for addresses of this length. */
const MAX_ADDRESS_LENGTH = 180;

/**
 * A message template with the words of a language and the links filled in.
 * @throws Error if a placeholder is left over: the template and this table do not belong together.
 */
export function fillTemplate(template: string, language: Config['language'], links: Links, escaping: Escaping): string {
  const silence =
    links.alertmanager && `${links.alertmanager}/#/silences/new?filter=%7Balertname%3D%22{{ $name }}%22%7D`;
  const values: Readonly<Record<string, string>> = {
    ...WORDS[language],
    escape: escaping === 'slack' ? SLACK_ESCAPE : '',
    runbook: links.runbook ? anchor(`${links.runbook}#{{ $name | toLower }}`, 'Runbook') : RUNBOOK_IN_REPOSITORY,
    'runbook address': links.runbook
      ? `${escaping === 'none' ? links.runbook.replaceAll('&amp;', '&') : links.runbook}#{{ . | toLower }}`
      : RUNBOOK_IN_REPOSITORY,
    silence: silence ? `${links.dashboard ? ' · ' : '\n'}${anchor(silence, LINK_WORDS[language].silence)}` : '',
    dashboard: links.dashboard
      ? `\n${anchor(`${links.dashboard}/d/{{ $board }}?from={{ $from }}&amp;to=now`, 'Dashboard')}`
      : '',
  };
  return template.replace(/\[\[([a-z ]+)\]\]/g, (_, name: string) => {
    if (values[name] === undefined) throw new Error(`Unknown placeholder [[${name}]] in a message template.`);
    return values[name];
  });
}

/** The addresses that a phone can open; `leftOut` names the settings of those it cannot. */
export function chooseLinks(config: Config): { readonly links: Links; readonly leftOut: readonly string[] } {
  const leftOut: string[] = [];
  const choose = (variable: string, address: string | undefined): string | undefined => {
    if (address === undefined) return undefined;
    if (!isLoopback(address)) return toTemplateText(variable, address);
    leftOut.push(variable);
    return undefined;
  };
  const links = {
    runbook: choose('RUNBOOK_URL', config.runbookUrl),
    dashboard: choose('GRAFANA_URL', config.grafanaUrl),
    alertmanager: choose('ALERTMANAGER_URL', config.alertmanagerUrl),
  };
  return { links, leftOut };
}

/** Whether an address means whatever machine opens it. */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return /^(localhost|.*\.localhost|127\..*|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*\])$/.test(hostname);
}

/** Nothing in an address may be taken for a template's action or end an attribute. */
function toTemplateText(variable: string, address: string): string {
  const text = new URL(address).href
    .replace(/\/$/, '')
    .replaceAll('&', '&amp;')
    .replace(/[{}"'<>`\\]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  if (text.length <= MAX_ADDRESS_LENGTH) return text;
  throw new UsageError(
    `${variable} has ${text.length} characters: with it a message could grow too long to be delivered.`,
    `Use an address of at most ${MAX_ADDRESS_LENGTH} characters.`,
  );
}

function anchor(address: string, text: string): string {
  return `<a href="${address}">${text}</a>`;
}
