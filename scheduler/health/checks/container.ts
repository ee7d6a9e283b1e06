import { type ClientRequestArgs, type IncomingMessage, request } from 'node:http';
import { readBody } from '../../bounded-body.ts';
import { same } from '../../words.ts';
import { type CheckFunction, type CheckResult, down, unavailable, up } from '../check.ts';

/** The part of Docker's answer that is looked at. */
interface Inspected {
  readonly State?: {
    readonly Status?: unknown;
    readonly Running?: unknown;
    readonly Health?: { readonly Status?: unknown };
  };
}

/** Whether a container runs, and is healthy where it can tell. Docker is asked only where an address of it is stated. */
export const checkContainer: CheckFunction<'container'> = async ({ container, docker }, { signal }) => {
  if (docker === undefined) {
    return unavailable({
      it: 'nessun indirizzo di Docker',
      en: 'no address of Docker is set ("docker" in projects.json)',
    });
  }
  let answer: { readonly status: number; readonly body: string };
  try {
    answer = await ask(docker, `/containers/${container}/json`, signal);
  } catch {
    return unavailable({ it: 'Docker non risponde', en: 'Docker does not answer' });
  }
  if (answer.status === 404) return down({ it: 'non esiste', en: 'there is no such container' });
  if (answer.status !== 200) {
    return unavailable({ it: `Docker risponde ${answer.status}`, en: `Docker answered ${answer.status}` });
  }
  return judge(answer.body);
};

function judge(body: string): CheckResult {
  let inspected: Inspected | null;
  try {
    inspected = JSON.parse(body) as Inspected | null;
  } catch {
    inspected = null;
  }
  const state = inspected?.State;
  if (typeof state?.Running !== 'boolean') {
    return unavailable({ it: 'Docker risponde altro', en: 'Docker answered something else' });
  }
  const status = word(state.Status);
  const health = word(state.Health?.Status);
  return (state.Running && health !== 'unhealthy' ? up : down)(same(health === '' ? status : `${status}, ${health}`));
}

/** A single word, or nothing. */
function word(value: unknown): string {
  return typeof value === 'string' && /^[a-z]{1,20}$/.test(value) ? value : '';
}

async function ask(docker: string, path: string, signal: AbortSignal) {
  const place: ClientRequestArgs = docker.startsWith('unix://')
    ? { socketPath: docker.slice('unix://'.length) }
    : { host: new URL(docker).hostname, port: new URL(docker).port };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asking = request({ ...place, path, headers: { Host: 'docker' }, agent: false, signal });
    asking.once('response', resolve).on('error', reject).end();
  });
  try {
    return { status: response.statusCode ?? 0, body: await readBody(response) };
  } finally {
    response.destroy();
  }
}
