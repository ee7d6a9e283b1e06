import type { italian } from './italian.ts';

/**
 * Everything a retrospective can say, in one language. Arguments are figures, or text as it is to be shown: what comes from
 * outside has been made harmless before.
 */
export type Words = ReturnType<typeof italian>;
