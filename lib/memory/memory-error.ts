import { OperatorError } from '../errors.ts';

/** Why a swarm memory cannot be read; `doctor`, `/readyz` and tests branch on it. */
export type MemoryProblem =
  | 'missing'
  | 'empty'
  | 'not-a-database'
  | 'not-a-swarm-memory'
  | 'single-file-mount'
  | 'no-permission'
  | 'wal-unreadable'
  | 'journal-unreadable'
  | 'locked'
  | 'damaged'
  | 'changing'
  | 'loading'
  | 'unreadable';

/** The swarm's memory cannot be read right now. */
export class MemoryError extends OperatorError {
  readonly problem: MemoryProblem;

  constructor(problem: MemoryProblem, message: string, hint: string, options?: ErrorOptions) {
    super(message, hint, options);
    this.problem = problem;
  }
}

/** Whether an error only says that the first reading is not over. */
export function isLoading(error: unknown): boolean {
  return error instanceof MemoryError && error.problem === 'loading';
}
