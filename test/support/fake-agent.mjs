#!/usr/bin/env node
/**
 * An agent that speaks as Claude Code 2.1 does and costs nothing. Every `#fake` in its prompt, up to the end of the line, is
 * followed by directives, `key=value` or a bare `key`:
 *
 * outcome=…      ok (default), denied, rate-limited, overloaded, auth, credit, unreachable, too-long, budget, max-turns,
 *                error (an error nobody knows), crash, kill (itself, with SIGKILL), garbage (no JSON, then ok), silent (never
 *                begins), hang (begins, then says nothing), no-exit (a result, and then it stays), prose (no
 *                answer in the form that is asked for)
 * ms=50          how long it works
 * cost=0.02      US dollars of this run; more than --max-budget-usd ends as budget
 * input=1000 output=100    tokens of this run
 * totals=run     costs in the result are those of the run (as 2.1.197), not of the session (as 2.1.330)
 * reset-in=3600  seconds until the limit of rate-limited ends
 * denied=Write   the tool that denied was refused
 * command=BASE64URL   denied was refused this command of Bash instead; where a rule allows just this one, it is run
 * exit=3         exit code of crash
 * ignore-term    takes no notice of SIGTERM
 * child          leaves a child in a session of its own, which ignores SIGTERM as well with ignore-term
 * file=NAME      writes a file of its prompt's text in its working directory; commit commits it
 * fail-first=N state=FOLDER    the outcome holds for the first N runs of this task, counted in that folder; then it is ok
 * answer=BASE64URL   JSON that it answers with where a form is asked for (--json-schema)
 * record=FILE    appends a line of JSON: its arguments, environment, prompt, process id, working directory
 *
 * The directives of a review stand in what it reviews: in .swarm-review/pull-request.txt of its working directory.
 *
 * A session is a file in $HOME/.fake-agent: --resume wants it, --session-id refuses it. --agent nobody is unknown.
 */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MODEL = 'claude-fake-1';
const options = readOptions(process.argv.slice(2));
if (options.has('version')) {
  console.log('9.9.9 (fake agent)');
} else {
  await main();
}

async function main() {
  const prompt = readFileSync(0, 'utf8');
  const fake = readDirectives(prompt + readMaterial());
  if (fake.has('record')) record(text('record'), prompt);
  if (prompt.trim() === '') refuse('Error: Input must be provided either through stdin or as a prompt argument');
  if (options.get('agent') === 'nobody') refuse("--agent 'nobody' not found. Available agents: claude, Explore");
  if (fake.has('ignore-term')) process.on('SIGTERM', () => {});
  const outcome = outcomeOfThisRun();
  if (outcome === 'silent') return stay();
  const session = openSession();
  if (fake.has('child')) leaveChild();
  say({ type: 'system', subtype: 'init', model: MODEL, cwd: process.cwd(), tools: ['Bash', 'Write'] });
  await act(outcome);

  /**
   * @param {string} key
   * @param {string} [fallback]
   */
  function text(key, fallback = '') {
    return fake.get(key) ?? fallback;
  }

  /** @param {Record<string, unknown>} event */
  function say(event) {
    process.stdout.write(`${JSON.stringify({ ...event, session_id: session.id })}\n`);
  }

  /** @param {string} outcome */
  function formAnswer(outcome) {
    if (!options.has('json-schema') || outcome === 'prose') return {};
    const given = Buffer.from(text('answer'), 'base64url').toString();
    return { structured_output: given === '' ? { summary: 'All is well.', findings: [] } : JSON.parse(given) };
  }

  /** @param {string} name */
  async function act(name) {
    await sleep(Number(text('ms', '20')));
    if (name === 'hang') return stay();
    if (name === 'crash') process.exit(Number(text('exit', '3')));
    if (name === 'kill') process.kill(process.pid, 'SIGKILL');
    if (name === 'garbage') process.stdout.write('not JSON at all\n{"type":\n\0\n{"no":"type"}\n[1]\n');
    const refusal = refusalOf(name);
    if (refusal) return end({ ...refusal, is_error: true }, 0);
    writeFile();
    const costUsd = Number(text('cost', '0.01'));
    const isOverBudget = costUsd > Number(options.get('max-budget-usd') ?? Number.POSITIVE_INFINITY);
    speak(`msg_${process.pid}`, MODEL, 'I have done it.');
    if (name === 'budget' || isOverBudget) {
      return end(
        { subtype: 'error_max_budget_usd', is_error: true, errors: ['Reached maximum budget ($0.5)'] },
        costUsd,
      );
    }
    if (name === 'max-turns') {
      return end(
        { subtype: 'error_max_turns', is_error: true, errors: ['Reached maximum number of turns (1)'] },
        costUsd,
      );
    }
    const denials = name === 'denied' ? denialsOf() : [];
    end({ result: 'I have done it.', permission_denials: denials, ...formAnswer(name) }, costUsd);
    if (name === 'no-exit') return stay();
  }

  function denialsOf() {
    if (!fake.has('command')) return [{ tool_name: text('denied', 'Write'), tool_use_id: 'toolu_1' }];
    const command = Buffer.from(text('command'), 'base64url').toString();
    const rules = (options.get('allowedTools') ?? '').split(',');
    if (!rules.includes(`Bash(${command})`)) {
      return [{ tool_name: 'Bash', tool_use_id: 'toolu_1', tool_input: { command, description: 'A command' } }];
    }
    spawnSync('sh', ['-c', command]);
    return [];
  }

  /**
   * What the command line makes of a provider that refuses.
   * @param {string} name
   */
  function refusalOf(name) {
    /** @type {Record<string, [status: number | null, code: string, text: string]>} */
    const refusals = {
      overloaded: [null, 'server_error', 'API Error: Repeated 529 Overloaded errors. The API is at capacity'],
      auth: [401, 'authentication_failed', 'Invalid API key · Please run /login'],
      credit: [400, 'billing_error', 'Credit balance is too low'],
      unreachable: [null, 'server_error', 'API Error: Unable to connect to API (ConnectionRefused)'],
      'too-long': [400, 'invalid_request', 'Prompt is too long'],
      error: [null, 'unknown', 'Something nobody has heard of'],
      'rate-limited': [429, 'rate_limit', "You've hit your session limit"],
    };
    const found = refusals[name];
    if (!found) return undefined;
    const [status, code, said] = found;
    if (name === 'rate-limited') {
      const resetsAt = Math.floor(Date.now() / 1_000) + Number(text('reset-in', '3600'));
      say({ type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt, rateLimitType: 'five_hour' } });
    }
    if (name === 'overloaded') {
      for (const attempt of [1, 2]) {
        say({ type: 'system', subtype: 'api_retry', attempt, max_retries: 2, error_status: 529, error: 'overloaded' });
      }
    }
    speak(`msg_error_${process.pid}`, '<synthetic>', said, code);
    return { result: said, api_error_status: status };
  }

  /**
   * @param {string} id
   * @param {string} model
   * @param {string} said
   * @param {string} [error]
   */
  function speak(id, model, said, error) {
    // As the real one: the message is still being written, so its output is not known yet.
    const usage = { input_tokens: model === MODEL ? Number(text('input', '1000')) : 0, output_tokens: 1 };
    const message = { id, type: 'message', role: 'assistant', model, content: [{ type: 'text', text: said }], usage };
    say({ type: 'assistant', message, parent_tool_use_id: null, ...(error ? { error } : {}) });
  }

  /**
   * @param {Record<string, unknown>} result
   * @param {number} costUsd
   */
  function end(result, costUsd) {
    const run =
      costUsd === 0
        ? { input: 0, output: 0 }
        : { input: Number(text('input', '1000')), output: Number(text('output', '100')) };
    const before = text('totals') === 'run' ? { costUsd: 0, input: 0, output: 0 } : session.totals;
    const totals = {
      costUsd: before.costUsd + costUsd,
      input: before.input + run.input,
      output: before.output + run.output,
    };
    session.save(totals);
    const used = { inputTokens: totals.input, outputTokens: totals.output, costUSD: totals.costUsd };
    say({
      ...{ type: 'result', subtype: 'success', is_error: false, api_error_status: null, num_turns: 1 },
      ...{
        total_cost_usd: totals.costUsd,
        modelUsage: totals.input > 0 ? { [MODEL]: used } : {},
        permission_denials: [],
      },
      ...result,
    });
    process.exitCode = result.is_error ? 1 : 0;
  }

  function outcomeOfThisRun() {
    const wanted = text('outcome', 'ok');
    if (!fake.has('fail-first')) return wanted;
    mkdirSync(text('state'), { recursive: true });
    const file = join(text('state'), `${process.env.SWARM_TASK_ID ?? 'task'}.runs`);
    appendFileSync(file, '.');
    return readFileSync(file, 'utf8').length <= Number(text('fail-first')) ? wanted : 'ok';
  }

  function leaveChild() {
    const ignore = fake.has('ignore-term') ? "process.on('SIGTERM', () => {});" : '';
    const code = `${ignore} setInterval(() => {}, 1000)`;
    spawn(process.execPath, ['-e', code, 'child-of-fake-agent'], { detached: true, stdio: ['ignore', 1, 2] }).unref();
  }

  function writeFile() {
    if (!fake.has('file')) return;
    writeFileSync(text('file'), prompt);
    if (!fake.has('commit')) return;
    const identity = ['-c', 'user.name=Fake', '-c', 'user.email=fake@localhost'];
    spawnSync('git', ['add', '-A']);
    spawnSync('git', [...identity, 'commit', '--quiet', '-m', `Add ${text('file')}`]);
  }
}

/** A session begins with its file, as the real one's can be resumed from its first moment. */
function openSession() {
  const folder = join(process.env.HOME ?? '.', '.fake-agent');
  const id = options.get('resume') ?? options.get('session-id') ?? 'no-session';
  const file = join(folder, `${id}.json`);
  const isKnown = existsSync(file);
  if (options.has('resume') && !isKnown) {
    const error = `No conversation found with session ID: ${id}`;
    const result = { type: 'result', subtype: 'error_during_execution', is_error: true, errors: [error], num_turns: 0 };
    process.stdout.write(`${JSON.stringify({ ...result, total_cost_usd: 0, modelUsage: {}, session_id: id })}\n`);
    refuse(error);
  }
  if (!options.has('resume') && isKnown) refuse(`Error: Session ID ${id} is already in use.`);
  mkdirSync(folder, { recursive: true });
  /** @param {{ costUsd: number, input: number, output: number }} totals */
  const save = (totals) => writeFileSync(file, JSON.stringify(totals));
  if (!isKnown) save({ costUsd: 0, input: 0, output: 0 });
  return { id, totals: JSON.parse(readFileSync(file, 'utf8')), save };
}

/** @param {string[]} args */
function readOptions(args) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const [index, arg] of args.entries()) {
    if (arg.startsWith('--')) found.set(arg.slice(2), args[index + 1] ?? '');
  }
  return found;
}

function readMaterial() {
  const file = '.swarm-review/pull-request.txt';
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** @param {string} prompt */
function readDirectives(prompt) {
  const lines = [...prompt.matchAll(/#fake ([^\n]*)/g)].map(([, line]) => line);
  /** @type {[string, string][]} */
  const pairs = lines
    .flatMap((line) => line.split(/\s+/))
    .filter((word) => word !== '')
    .map((word) => {
      const at = word.indexOf('=');
      return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    });
  return new Map(pairs);
}

/**
 * @param {string} file
 * @param {string} prompt
 */
function record(file, prompt) {
  const { argv, env, pid } = process;
  appendFileSync(file, `${JSON.stringify({ args: argv.slice(2), env, prompt, pid, cwd: process.cwd() })}\n`);
}

/** @param {string} message */
function refuse(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function stay() {
  return new Promise(() => setInterval(() => {}, 1_000));
}
