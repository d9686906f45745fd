import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    environment: 'node',
    // Node would load graphql as CommonJS and as a module, and neither accepts a schema of the other.
    server: { deps: { inline: [/graphql/] } },
    // One browser and one server at a time, because some tests measure performance.
    fileParallelism: false,
    // The tests of a file depend on each other.
    bail: 1,
    testTimeout: 90_000,
    // As long as the locators of the browser wait: what a test reads may be about to change.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 90_000,
  },
});
