import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../lib/errors.ts';
import { readManualMinutes, readProjects } from '../../lib/projects.ts';
import { tempDir } from '../support/memory-builder.ts';

function fileWith(content: unknown): string {
  const path = join(tempDir(), 'projects.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('the projects', () => {
  test('are found by name, with paths seen from the file and one task at a time', () => {
    const file = fileWith({
      projects: [
        { name: 'acme', path: 'here', checks: [{ type: 'tcp', host: 'localhost', port: 1 }] },
        {
          name: 'owner/other',
          path: '/srv/other',
          concurrency: 3,
          repository: 'owner/other',
          defaultModel: 'opus[1m]',
        },
      ],
    });
    expect([...readProjects(file).values()]).toEqual([
      {
        ...{ name: 'acme', path: join(file, '..', 'here'), concurrency: 1, isDemo: false },
        checks: [{ type: 'tcp', name: 'tcp', host: 'localhost', port: 1, timeoutSeconds: 15 }],
      },
      {
        ...{ name: 'owner/other', path: '/srv/other', concurrency: 3, isDemo: false, checks: [] },
        ...{ repository: 'owner/other', defaultModel: 'opus[1m]' },
      },
    ]);
  });

  test.each([
    ['an empty object', '{}'],
    ['a file with a byte order mark', '\uFEFF{"projects":[]}'],
  ])('are none in %s', (_, content) => {
    expect(readProjects(fileWith(content)).size).toBe(0);
  });

  test('are none without the file', () => {
    expect(readProjects(join(tempDir(), 'projects.json')).size).toBe(0);
  });

  test.each([
    ['{"projects": [', 'it is not valid JSON'],
    ['', 'it is not valid JSON'],
    ['null', 'expected an object such as {"projects": []}'],
    ['[{"name":"a","path":"/a"}]', 'expected an object such as {"projects": []}'],
    ['"projects"', 'expected an object such as {"projects": []}'],
    ['{"projects":{"a":"/a"}}', 'Could not use "projects"'],
    ['{"projects":[null]}', 'project 1 of .*: it has no name'],
    ['{"projects":[{"path":"/a"}]}', 'project 1 of .*: it has no name'],
    ['{"projects":[{"name":" ","path":"/a"}]}', 'project 1 of .*: it has no name'],
    [
      '{"projects":[{"name":"a","path":"/a"},{"name":"--b","path":"/b"}]}',
      'project 2 of .*: of its name, expected a name',
    ],
    ['{"projects":[{"name":"a\\u001b[2Jb","path":"/a"}]}', 'project 1 of .*: of its name, expected a name'],
    ['{"projects":[{"name":"a"}]}', 'project "a" of .*: it has no path'],
    ['{"projects":[{"name":"a","path":7}]}', 'project "a" of .*: it has no path'],
    [
      '{"projects":[{"name":"a","path":"/a","concurrency":0}]}',
      'its concurrency is 0, expected a whole number from 1 to 20',
    ],
    ['{"projects":[{"name":"a","path":"/a","concurrency":"2"}]}', 'its concurrency is "2"'],
    ['{"projects":[{"name":"a","path":"/a","concurrency":21}]}', 'its concurrency is 21'],
    [
      '{"projects":[{"name":"a","path":"/a","defaultModel":"--model"}]}',
      'project "a" of .*: of its defaultModel, expected',
    ],
    ['{"projects":[{"name":"a","path":"/a"},{"name":"a","path":"/b"}]}', 'project "a" of .*: it is there twice'],
  ])('are refused in %s', (content, expectation) => {
    const file = fileWith(content);
    expect(() => readProjects(file)).toThrow(UsageError);
    expect(() => readProjects(file)).toThrow(new RegExp(expectation.replace(/[{[\]}]/g, '\\$&')));
  });

  test('of a path that cannot be read are refused, with the variable to look at', () => {
    const folder = join(tempDir(), 'projects.json');
    mkdirSync(folder);
    expect(() => readProjects(folder)).toThrow(
      expect.objectContaining({ name: 'UsageError', hint: expect.stringContaining('PROJECTS_FILE') }),
    );
  });
});

describe('the manual minutes', () => {
  test('are those of the agent, else the default of the file, else 30', () => {
    expect(readManualMinutes(fileWith({ projects: [] }))).toEqual({ default: 30, byAgent: new Map() });
    expect(readManualMinutes(fileWith({ manualMinutes: { default: 20, 'cervella-backend': 45 } }))).toMatchObject({
      default: 20,
      byAgent: new Map([
        ['default', 20],
        ['cervella-backend', 45],
      ]),
    });
  });

  test.each([-1, 1.5, 1_441, '45', null])('are refused as %j, with the agent named', (minutes) => {
    expect(() => readManualMinutes(fileWith({ manualMinutes: { somebody: minutes } }))).toThrow(
      /manualMinutes of "somebody" is .*, expected whole minutes, 0 to 1440/,
    );
  });
});
