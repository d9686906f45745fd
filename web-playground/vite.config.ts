import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// What the server answers itself; everything else is this app.
const api = ['/health', '/livez', '/readyz', '/metrics', '/schema.graphql'];
const server = 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  // Absolute, so that assets resolve under every route of the app.
  base: '/',
  server: {
    host: '127.0.0.1',
    proxy: {
      '/graphql': { target: server, ws: true },
      ...Object.fromEntries(api.map((path) => [path, { target: server }])),
    },
  },
  // For `npm run dev` only: its dependency bundler does not know the `?worker` imports of the first two, and so misses the
  // CommonJS packages behind them, which a browser cannot load as they are.
  optimizeDeps: {
    exclude: ['graphiql/setup-workers/vite', '@graphiql/react/setup-workers/vite'],
    include: [
      '@graphiql/react > monaco-graphql > picomatch-browser',
      '@graphiql/react > graphql-language-service > nullthrows',
    ],
  },
  build: {
    // The server's CSP allows `data:` for images and fonts only, so scripts and workers stay files.
    assetsInlineLimit: (file) => (/\.(svg|png|ttf|woff2?)$/.test(file) ? undefined : false),
    // The first browsers with `light-dark()`: what it is rewritten to for older ones does not follow a scheme set by script.
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // The Monaco editor is one lazily loaded chunk of about 3 MB; splitting it further brings nothing.
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      // GraphiQL's packages carry "use no memo", a hint to their own compiler that means nothing here.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts'],
    // Node would load graphql once as CommonJS and once as a module, and each refuses the other's schema.
    server: { deps: { inline: [/graphql/] } },
  },
});
