/**
 * A call that is given up after `timeoutMs`. One that was given up but still runs is not joined by another, which would
 * pile up while a disk or a server hangs; asking meanwhile fails at once.
 */
export function bounded<Arguments extends readonly unknown[], T>(
  call: (...values: Arguments) => Promise<T> | T,
  timeoutMs: number,
): (...values: Arguments) => Promise<T> {
  let isRunning = false;
  return async (...values) => {
    if (isRunning) throw new Error('the call before has not come back');
    isRunning = true;
    const result = (async () => call(...values))().finally(() => {
      isRunning = false;
    });
    // Once given up on, nobody is left to hear how it ends.
    result.catch(() => {});
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs);
    });
    return Promise.race([result, late]).finally(() => clearTimeout(timer));
  };
}
