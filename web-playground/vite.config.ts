import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { thirdParty } from './notices';

// Paths that the server handles; all others are routes of the app.
const api = ['/health', '/livez', '/readyz', '/metrics', '/schema.graphql'];
const server = 'http://127.0.0.1:8080';

/**
 * Writes a `.br` and a `.gz` of each file that they make smaller: the server sends them as they are. The assets are kept in these forms
 * only, because the binary of the server carries them.
 */
function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    writeBundle({ dir = 'dist' }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        const path = join(dir, name);
        if (statSync(path).isDirectory()) continue;
        const content = readFileSync(path);
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        const variants = { br: brotliCompressSync(content, { params }), gz: gzipSync(content, { level: 9 }) };
        const smaller = Object.values(variants).every((compressed) => compressed.length < content.length * 0.9);
        if (!smaller) continue;
        for (const [extension, compressed] of Object.entries(variants)) writeFileSync(`${path}.${extension}`, compressed);
        if (name.startsWith('assets/')) rmSync(path);
      }
    },
  };
}

const notices = thirdParty('third-party.txt.gz');

export default defineConfig({
  plugins: [react(), notices.page, precompressed()],
  worker: { plugins: () => [notices.worker] },
  // Relative to the <base> of the page, which is the same on every route of the app.
  base: './',
  server: {
    host: '127.0.0.1',
    // The documents of the repository are a page.
    fs: { allow: ['..'] },
    proxy: {
      '/graphql': { target: server, ws: true },
      ...Object.fromEntries(api.map((path) => [path, { target: server }])),
    },
  },
  // For `npm run dev` only: its dependency bundler does not support the `?worker` imports of the first two, and so does not
  // find the CommonJS packages that they import, which a browser cannot load.
  optimizeDeps: {
    exclude: ['graphiql/setup-workers/vite', '@graphiql/react/setup-workers/vite'],
    include: [
      '@graphiql/react > monaco-graphql > picomatch-browser',
      '@graphiql/react > graphql-language-service > nullthrows',
    ],
  },
  build: {
    // The CSP of the server allows `data:` for images and fonts only, so scripts and workers are files.
    assetsInlineLimit: (file) => (/\.(svg|png|ttf|woff2?)$/.test(file) ? undefined : false),
    // The first browsers with `light-dark()`: its replacement for older ones ignores a colour scheme set by script.
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // The Monaco editor is one lazily loaded chunk of about 3 MB; splitting it has no benefit.
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      // Packages of GraphiQL contain "use no memo", a directive for their own compiler.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts'],
    // Node would load graphql as CommonJS and as a module, and neither accepts a schema of the other.
    server: { deps: { inline: [/graphql/] } },
  },
});
