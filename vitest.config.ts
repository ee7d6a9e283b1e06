import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need a container engine: `npm run test:containers`.
    exclude: ['test/containers/**'],
    // Two cores, and tests that start real programs and wait for them.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
