/**
 * Builds the console into dist/console: one page, its script and its style sheet under hashed names. Nothing is inlined, so
 * that a Content-Security-Policy of 'self' alone holds.
 */
import { defineConfig } from 'vite';

const root = import.meta.dirname;

// oxlint-disable-next-line import/no-default-export -- Vite reads its configuration from there
export default defineConfig({
  root,
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: `${root}/../../../dist/console`,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
  },
});
