import { expect, test } from 'vitest';
import { isToolRule, type NotGrantable } from '../../../lib/queue/refused-call.ts';
import { describeDenials } from '../../../orchestrator/runner/refused-calls.ts';

const bash = (command: string) => ({ tool: 'Bash', input: { command, description: 'x' } });
const write = (path: string, tool = 'Write') => ({ tool, input: { file_path: path, content: 'x' } });
const fetchOf = (url: string) => ({ tool: 'WebFetch', input: { url, prompt: 'x' } });

test.each([
  [bash('npm install left-pad'), 'Bash(npm install left-pad)'],
  [bash(' npm ci '), 'Bash(npm ci)'],
  [bash(`npm run x -- --name="a b" 'c' 2>&1 > out.txt`), `Bash(npm run x -- --name="a b" 'c' 2>&1 > out.txt)`],
  [bash('cd app && npm ci || npm i; ls'), 'Bash(cd app && npm ci || npm i; ls)'],
  [write('/srv/other/notes.md'), 'Edit(//srv/other/notes.md)'],
  [write('/srv/my notes/a.md', 'Edit'), 'Edit(//srv/my notes/a.md)'],
  [{ tool: 'NotebookEdit', input: { notebook_path: '/srv/a.ipynb' } }, 'Edit(//srv/a.ipynb)'],
  [fetchOf('https://Docs.Example.org:8443/a?b=c'), 'WebFetch(domain:docs.example.org)'],
  [{ tool: 'WebSearch', input: { query: 'how, why (and *)' } }, 'WebSearch'],
  [{ tool: 'mcp__db__query', input: { sql: 'SELECT 1' } }, 'mcp__db__query'],
])('%j is covered by %s and nothing wider', (denial, rule) => {
  expect(describeDenials([denial])).toEqual([{ tool: denial.tool, input: expect.any(String), rule }]);
  expect(isToolRule(rule)).toBe(true);
});

test.each<[ReturnType<typeof bash> | { tool: string; input: unknown }, NotGrantable]>([
  [bash('rm -rf *'), 'characters'],
  [bash('npm:*'), 'characters'],
  [bash('echo a, b'), 'characters'],
  [bash('echo $(id)'), 'characters'],
  [bash('(npm ci)'), 'characters'],
  [bash('echo `id`'), 'characters'],
  [bash('echo $HOME'), 'characters'],
  [bash('echo a\\ b'), 'characters'],
  [bash('npm ci\nrm -rf build'), 'characters'],
  [bash('npm ci\trm'), 'characters'],
  [bash('npm installperché'), 'characters'],
  [bash('npm \u202etests'), 'characters'],
  [bash('prompt: run anything'), 'characters'],
  [bash('npm ci | sh'), 'no-rule'],
  [bash('npm start &'), 'no-rule'],
  [bash('   '), 'no-rule'],
  [bash(`echo ${'x'.repeat(300)}`), 'too-long'],
  [bash('curl -H "Authorization: Bearer abcdefghijklmnop" example.org'), 'masked'],
  [bash('GITHUB_TOKEN=abcdefgh npm publish'), 'masked'],
  [write('notes.md'), 'no-rule'],
  [write('/srv/../etc/passwd'), 'no-rule'],
  [write('/srv/other/'), 'no-rule'],
  [write('/srv/project/.git/hooks/pre-commit'), 'no-rule'],
  [write('/srv/project/.claude/settings.json'), 'no-rule'],
  [write('/home/u/.bashrc', 'Edit'), 'no-rule'],
  [write('/srv/a*'), 'characters'],
  [write('/srv/[a]'), 'characters'],
  [write('/srv/!a'), 'characters'],
  [fetchOf('http://127.0.0.1:6379/'), 'no-rule'],
  [fetchOf('http://[::1]/'), 'no-rule'],
  [fetchOf('http://0x7f000001/'), 'no-rule'],
  [fetchOf('http://localhost:3000/'), 'no-rule'],
  [fetchOf('ftp://example.org/'), 'no-rule'],
  [fetchOf('no address'), 'no-rule'],
  [{ tool: 'WebFetch', input: null }, 'no-rule'],
  [{ tool: 'Skill', input: { skill: 'x' } }, 'no-rule'],
  [{ tool: 'constructor', input: {} }, 'no-rule'],
  [{ tool: 'mcp__a__b(*)', input: {} }, 'characters'],
])('%j cannot be granted: %s', (denial, why) => {
  expect(describeDenials([denial])).toEqual([{ tool: denial.tool, input: expect.any(String), why }]);
});

test.each([
  ...['Bash', 'Bash()', 'Bash(*)', 'Bash(npm:*)', 'Bash(a),Bash(b)', 'Bash(a\nb)', 'Bash( a)', 'Bash(a )', 'Bash(a)b'],
  ...[
    'Edit',
    'Write',
    'Read',
    'WebFetch',
    'Agent',
    'Skill(x)',
    'mcp__',
    'WebSearch(x)',
    '',
    `Bash(${'x'.repeat(300)})`,
  ],
])('"%s" is no rule that may be granted', (rule) => {
  expect(isToolRule(rule)).toBe(false);
});

test('a call that was granted and refused all the same is not asked for again', () => {
  expect(describeDenials([bash('npm ci'), bash('npm i')], ['Bash(npm ci)'])).toEqual([
    { tool: 'Bash', input: 'npm ci', why: 'refused-anyway' },
    { tool: 'Bash', input: 'npm i', rule: 'Bash(npm i)' },
  ]);
});

test('each call is there once, and the first few only', () => {
  const calls = describeDenials([bash('a'), bash('a'), ...['b', 'c', 'd', 'e', 'f'].map(bash)]);
  expect(calls.map(({ input }) => input)).toEqual(['a', 'b', 'c', 'd']);
});

test('what is shown of a call is one line, masked and then cut', () => {
  const [{ input }] = describeDenials([bash(`echo\n\u001b[2J sk-ant-api03-abcdefghijklmnop ${'x'.repeat(500)}`)]);
  expect(input).toMatch(/^echo \[2J \[\*\*\*\] x+…$/);
  expect(input.length).toBe(200);
  const [half] = describeDenials([bash(`${' '.repeat(9_990)}sk-ant-api03-abcdefghijklmnop`)]);
  expect(half.input).not.toContain('sk-');
});
