/**
 * An error meant for the person who runs the program: what was attempted, what was found, and what to do about it.
 * Anything else that is thrown is a bug and keeps its stack.
 */
export class OperatorError extends Error {
  /** What to do about it, one sentence. */
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.hint = hint;
  }
}

/** A setting or an argument is wrong: the process or command ends with exit code 2. */
export class UsageError extends OperatorError {}

/** A service the command needs does not answer, or must not be used as it is: exit code 3. */
export class UnreachableError extends OperatorError {}

/** One line for logs, pages and answers: the message, then the hint if there is one; cut at `maxLength` characters. */
export function describeError(error: unknown, maxLength = 500): string {
  const text =
    error instanceof OperatorError
      ? `${error.message} ${error.hint}`
      : error instanceof Error
        ? error.message
        : String(error);
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}

/** The exit codes of every command and room, as design.md fixes them. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** The exit code an error asks for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof UnreachableError) return EXIT.unreachable;
  return EXIT.failed;
}
