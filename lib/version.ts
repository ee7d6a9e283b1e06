import { readFileSync } from 'node:fs';
import { findProjectFile } from './project-file.ts';

/** What is running: the package's version and, where a build wrote it down, the commit it was made from. */
export interface Version {
  readonly version: string;
  readonly revision: string;
}

/** Reads the version from package.json and the revision from the build's own note; `unknown` where there is none. */
export function readVersion(): Version {
  return {
    version: field('package.json', 'version'),
    revision: field('dist/build.json', 'revision'),
  };
}

function field(file: string, name: string): string {
  try {
    const content = JSON.parse(readFileSync(findProjectFile(file), 'utf8')) as Record<string, unknown>;
    if (typeof content[name] === 'string') return content[name];
  } catch {
    // A source tree that was never built has no note.
  }
  return 'unknown';
}
