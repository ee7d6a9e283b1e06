import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { REVIEW_FILE } from '../../lib/queue/review.ts';

/**
 * Lays the material of a review into a worktree, in a folder that git is told to overlook: nothing of it is ever committed,
 * and it goes with the worktree.
 */
export async function layReviewFile(worktreePath: string, material: string): Promise<void> {
  const path = join(worktreePath, REVIEW_FILE);
  const folder = dirname(path);
  // Whatever a run before, or the project, has there.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx' });
  await writeFile(path, material, { flag: 'wx', mode: 0o600 });
}
