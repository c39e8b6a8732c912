import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const library = (file: string): string => fileURLToPath(new URL(`../client/src/${file}`, import.meta.url))

export default defineConfig({
  logLevel: 'warn',
  resolve: {
    alias: [
      { find: /^workflow-sync$/, replacement: library('index.ts') },
      { find: /^workflow-sync\/merge$/, replacement: library('merge/index.ts') },
      { find: /^workflow-sync\/graph$/, replacement: library('graph.ts') },
      { find: /^workflow-sync\/react-flow$/, replacement: library('react-flow.ts') },
    ],
    dedupe: ['react', 'react-dom', '@xyflow/react'], // the library's own are for its tests
  },
  build: {
    outDir: '../server/pages',
    emptyOutDir: true,
    assetsInlineLimit: 0, // a strict Content-Security-Policy wants files, not data: addresses
    chunkSizeWarningLimit: 5_000, // kB; the editor inside GraphiQL is that large, and loaded once
    rolldownOptions: {
      input: ['index.html', 'developers.html', 'graphql.html'],
      checks: { moduleLevelDirective: false }, // 'use client' means nothing here
    },
  },
})
