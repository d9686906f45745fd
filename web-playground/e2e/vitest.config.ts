import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    environment: 'node',
    // Node would load graphql once as CommonJS and once as a module, and each refuses the other's schema.
    server: { deps: { inline: [/graphql/] } },
    // One browser and one server at a time: the tests measure how live and how smooth the page is.
    fileParallelism: false,
    // The tests of a file build on each other.
    bail: 1,
    testTimeout: 90_000,
    hookTimeout: 90_000,
  },
});
