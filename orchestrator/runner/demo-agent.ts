#!/usr/bin/env node
// The agent of the demo: speaks as Claude Code does, but needs no model, no account and no network.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const MODEL = 'demo';
const WORK_MS = 250;
const QUOTED_CHARACTERS = 200;
const FILE = 'swarm-demo.md';

const { values } = parseArgs({
  strict: false,
  options: { version: { type: 'boolean' }, 'session-id': { type: 'string' }, resume: { type: 'string' } },
});
if (values.version) process.stdout.write('1.0.0 (demo agent)\n');
else await work(String(values['session-id'] ?? values.resume ?? randomUUID()));

async function work(sessionId: string): Promise<void> {
  const startedMs = performance.now();
  const say = (event: Record<string, unknown>): void => {
    process.stdout.write(`${JSON.stringify({ ...event, session_id: sessionId, uuid: randomUUID() })}\n`);
  };
  say({ type: 'system', subtype: 'init', cwd: process.cwd(), model: MODEL, tools: ['Write'] });
  const prompt = (await readAll(process.stdin)).slice(0, QUOTED_CHARACTERS);
  await sleep(WORK_MS);
  writeFileSync(FILE, `# Demo\n\nAn agent was asked:\n\n${prompt.replace(/^/gm, '> ')}\n`);
  const text = `Wrote ${FILE}.`;
  say({
    type: 'assistant',
    message: {
      ...{ id: `msg_${randomUUID()}`, type: 'message', role: 'assistant', model: MODEL, stop_reason: 'end_turn' },
      content: [{ type: 'text', text }],
      usage: { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    },
    parent_tool_use_id: null,
  });
  say({
    ...{ type: 'result', subtype: 'success', is_error: false, api_error_status: null, result: text },
    ...{ duration_ms: Math.round(performance.now() - startedMs), num_turns: 1, total_cost_usd: 0 },
    modelUsage: {
      [MODEL]: { inputTokens: 0, outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0, costUSD: 0 },
    },
    permission_denials: [],
  });
}

async function readAll(input: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
