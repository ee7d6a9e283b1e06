import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** What the tests look at of a service in docker-compose.monitoring.yml. */
export interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly user?: string;
  readonly restart: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt: readonly string[];
  readonly logging: { readonly options: Readonly<Record<string, string>> };
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly container_name: string;
  readonly mem_limit: string;
  readonly cpus: number;
  readonly pids_limit: number;
}

/** A compose file as it is written: variables are not filled in. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly name: string; readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The text of a file of the project. */
export function readProjectFile(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

export const COMPOSE_TEXT = readProjectFile('docker-compose.monitoring.yml');
export const COMPOSE = parse(COMPOSE_TEXT, { merge: true }) as ComposeFile;

/** A text with each variable replaced by its default. */
export function withDefaults(text: string): string {
  return text.replace(/\$\{\w+(?::?-([^}]*)|\?[^}]*)\}/g, (_, fallback = '') => String(fallback));
}

/** A limit such as `160m`, in megabytes as Docker counts them. */
export function megabytes(limit: string): number {
  const match = /^(\d+)m$/.exec(withDefaults(limit));
  if (!match) throw new Error(`"${limit}" is no limit in megabytes`);
  return Number(match[1]);
}
