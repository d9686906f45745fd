import { defineConfig } from 'vitest/config';

/** They measure how quickly the page is drawn, so nothing runs beside them. */
const MEASURED = ['log.test.ts', 'many.test.ts'];

export default defineConfig({
  test: {
    root: import.meta.dirname,
    environment: 'node',
    // Node would load graphql as CommonJS and as a module, and neither accepts a schema of the other.
    server: { deps: { inline: [/graphql/] } },
    // The tests of a file depend on each other.
    bail: 1,
    testTimeout: 90_000,
    // As long as the locators of the browser wait: what a test reads may be about to change.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 90_000,
    projects: [
      // Each has a browser and a server, which are enough for one processor.
      { extends: true, test: { name: 'pages', include: ['*.test.ts'], exclude: MEASURED, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'measured', include: MEASURED, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
});
