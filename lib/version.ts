import { readFileSync } from 'node:fs';

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

/** Compiled, this file lies one folder deeper than in the source. */
function field(file: string, name: string): string {
  for (const root of ['../../', '../']) {
    try {
      const content = JSON.parse(readFileSync(new URL(root + file, import.meta.url), 'utf8')) as Record<
        string,
        unknown
      >;
      if (typeof content[name] === 'string') return content[name];
    } catch {
      // Not here: the next place, or unknown.
    }
  }
  return 'unknown';
}
