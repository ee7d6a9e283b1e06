/** Reads at the first call and gives the same answer, or the same error, from then on. */
export function once<T>(read: () => T): () => T {
  let answer: { readonly value: T } | { readonly error: unknown } | undefined;
  return () => {
    try {
      answer ??= { value: read() };
    } catch (error) {
      answer = { error };
    }
    if ('error' in answer) throw answer.error;
    return answer.value;
  };
}
