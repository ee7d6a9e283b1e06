import { defineConfig } from 'vitest/config';

// Started by main.mjs beside it, which has an engine ready; `npm test` does not come here.
export default defineConfig({
  test: {
    include: ['test/containers/**/*.test.ts'],
    // One stack on one machine.
    fileParallelism: false,
    // The table of memory is for people.
    disableConsoleIntercept: true,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
