import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The path of a file of the project by its path from the root, wherever the program was started. Compiled, this file lies
 * one folder deeper than in the source.
 * @throws Error if there is none: the installation is not complete.
 */
export function findProjectFile(path: string): string {
  for (const root of ['../', '../../']) {
    const candidate = fileURLToPath(new URL(root + path, import.meta.url));
    if (existsSync(`${fileURLToPath(new URL(root, import.meta.url))}package.json`) && existsSync(candidate))
      return candidate;
  }
  throw new Error(`The project's file "${path}" is missing: the installation is not complete.`);
}
