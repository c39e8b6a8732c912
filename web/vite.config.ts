import { defineConfig } from 'vite'

export default defineConfig({
  logLevel: 'warn',
  build: {
    outDir: '../server/pages',
    emptyOutDir: true,
    assetsInlineLimit: 0, // a strict Content-Security-Policy wants files, not data: addresses
    chunkSizeWarningLimit: 5_000, // kB; the editor inside GraphiQL is that large, and loaded once
    rolldownOptions: {
      input: ['index.html', 'graphql.html'],
      checks: { moduleLevelDirective: false }, // 'use client' means nothing here
    },
  },
})
