import { resolve } from 'node:path';

/** One field of a check: what is expected of it, and how it is read. `read` gives undefined for anything else. */
interface Field<T> {
  readonly expected: string;
  readonly isRequired: boolean;
  readonly read: (stated: unknown, folder: string) => T | undefined;
  /** What holds when it is not stated. */
  readonly fallback: T;
}

type Reader<T> = Field<T>['read'];

const required = <T>(expected: string, read: Reader<T>): Field<T> => ({
  expected,
  isRequired: true,
  read,
  fallback: undefined as T,
});
const optional = <T>(expected: string, read: Reader<T>): Field<T | undefined> => withDefault(undefined, expected, read);
const withDefault = <T>(fallback: T, expected: string, read: Reader<T>): Field<T> => ({
  expected,
  isRequired: false,
  read,
  fallback,
});

const LONGEST_TEXT = 1_000;
const LONGEST_SHOWN = 60;

const text: Reader<string> = (stated) =>
  typeof stated === 'string' && stated.trim() !== '' && stated.length <= LONGEST_TEXT ? stated : undefined;
const matching =
  (pattern: RegExp): Reader<string> =>
  (stated) =>
    typeof stated === 'string' && pattern.test(stated) ? stated : undefined;
const path: Reader<string> = (stated, folder) => {
  const given = text(stated, folder);
  return given === undefined || given.includes('\0') ? undefined : resolve(folder, given);
};
const whole =
  (least: number, most: number): Reader<number> =>
  (stated) =>
    Number.isInteger(stated) && (stated as number) >= least && (stated as number) <= most
      ? (stated as number)
      : undefined;
const amount =
  (least: number, most: number): Reader<number> =>
  (stated) =>
    typeof stated === 'number' && stated >= least && stated <= most ? stated : undefined;
/** Without a password, which would stand in this file and in everything that shows the address. */
const webAddress: Reader<string> = (stated, folder) => {
  const address = text(stated, folder);
  if (address === undefined || !/^https?:\/\/[^\s/]/i.test(address) || !URL.canParse(address)) return undefined;
  const { username, password } = new URL(address);
  return /\s/.test(address) || username !== '' || password !== '' ? undefined : address;
};
const dockerAddress: Reader<string> = (stated, folder) =>
  matching(/^unix:\/\/\/[^\0\s]{1,100}$/)(stated, folder) ?? webAddress(stated, folder);

const HOST = required('a host name or an address', matching(/^[A-Za-z0-9_.:-]{1,253}$/));
const PORT = 'a port number from 1 to 65535';
const CERTIFICATES = optional('the path of a file of certificates to trust', path);
const HOURS = 'a number of hours above 0';
const isPort = whole(1, 65_535);
const isHours = amount(0.01, 100_000);

/** What every check may say: what it is called among those of its project, and how long it may take. */
const COMMON = {
  name: optional('a short name of letters, digits, dots, dashes', matching(/^[A-Za-z0-9][\w.-]{0,39}$/)),
  timeoutSeconds: withDefault(15, 'a number of seconds from 1 to 120', amount(1, 120)),
};

/** What a check of each type may say besides. To add a type: a line here, and its function in scheduler/health/checks/. */
const FIELDS = {
  http: {
    url: required('an address that begins with http:// or https://, without a password', webAddress),
    status: optional('a status from 100 to 599', whole(100, 599)),
    text: optional(`some text of at most ${LONGEST_TEXT} characters`, text),
    ca: CERTIFICATES,
  },
  tls: {
    host: HOST,
    port: withDefault(443, PORT, isPort),
    minDays: withDefault(0, 'a number of days from 0 to 400', amount(0, 400)),
    ca: CERTIFICATES,
  },
  tcp: { host: HOST, port: required(PORT, isPort) },
  disk: { minFreeGb: withDefault(1, 'a number of gigabytes of 0 or more', amount(0, 1e6)) },
  git: {},
  container: {
    container: required('the name of a container', matching(/^[A-Za-z0-9][\w.-]{0,127}$/)),
    docker: optional('an address such as unix:///var/run/docker.sock or http://docker-proxy:2375', dockerAddress),
  },
  systemd: { unit: required('the name of a unit, such as nginx.service', matching(/^[A-Za-z0-9][\w.@:\\-]{0,199}$/)) },
  memory: { maxAgeHours: optional(HOURS, isHours) },
  backup: { folder: optional('the path of a folder', path), maxAgeHours: withDefault(8, HOURS, isHours) },
} as const;

export type CheckType = keyof typeof FIELDS;
type ValuesOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** A check of a project, as projects.json states it; `name` is unique among those of the project. */
export type Check<T extends CheckType = CheckType> = {
  readonly [K in T]: ValuesOf<(typeof FIELDS)[K]> & {
    readonly type: K;
    readonly name: string;
    readonly timeoutSeconds: number;
  };
}[T];

const TYPES = Object.keys(FIELDS) as CheckType[];

/**
 * Reads `checks` of a project. Paths are seen from `folder`. One without a name is called after its type, the second of a
 * type `http-2` and so on.
 * @throws Error whose message says which check is wrong, what was found and what was expected.
 */
export function readChecks(stated: unknown, folder: string): readonly Check[] {
  if (stated === undefined) return [];
  if (!Array.isArray(stated)) throw new Error(`its checks are ${shown(stated)}, expected a list`);
  const read = stated.map((each, index) => readCheck(each, `its check ${index + 1}`, folder));
  const names = read.flatMap(({ name }) => name ?? []);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two of its checks are called "${twice}"`);
  const taken = new Set(names);
  return read.map((each) => {
    const name = each.name ?? freeName(each.type, taken);
    taken.add(name);
    return { ...each, name } as Check;
  });
}

/** A check with nothing but defaults, for what is looked at without being asked for. */
export function defaultCheck(type: 'disk' | 'git' | 'memory' | 'backup'): Check {
  return { ...readCheck({ type }, type, '/'), name: type } as Check;
}

function readCheck(stated: unknown, place: string, folder: string) {
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated)) {
    throw new Error(`${place} is ${shown(stated)}, expected an object such as {"type": "http", "url": "https://…"}`);
  }
  const { type, ...given } = stated as Readonly<Record<string, unknown>>;
  const known = TYPES.find((each) => each === type);
  if (known === undefined) {
    throw new Error(`the type of ${place} is ${shown(type)}, expected one of ${TYPES.join(', ')}`);
  }
  const fields: Readonly<Record<string, Field<unknown>>> = { ...FIELDS[known], ...COMMON };
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) {
    const others = Object.keys(fields).join(', ');
    throw new Error(`${place} (${known}) has ${shown(unknown)}, which it does not know; it knows ${others}`);
  }
  const values = Object.entries(fields).map(([name, field]) => {
    const value = Object.hasOwn(given, name) ? field.read(given[name], folder) : field.fallback;
    if (Object.hasOwn(given, name) ? value !== undefined : !field.isRequired) return [name, value] as const;
    const found = Object.hasOwn(given, name) ? `the ${name} ${shown(given[name])}` : `no ${name}`;
    throw new Error(`${place} (${known}) has ${found}, expected ${field.expected}`);
  });
  return { type: known, ...(Object.fromEntries(values) as { readonly name: string | undefined }) };
}

function freeName(type: CheckType, taken: ReadonlySet<string>): string {
  let name: string = type;
  for (let number = 2; taken.has(name); number += 1) name = `${type}-${number}`;
  return name;
}

/** JSON in ASCII on one line, so that a terminal may be shown it. */
function shown(value: unknown): string {
  if (value === undefined) return 'not there';
  const json = JSON.stringify(value).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return json.length > LONGEST_SHOWN ? `${json.slice(0, LONGEST_SHOWN - 1)}…` : json;
}
