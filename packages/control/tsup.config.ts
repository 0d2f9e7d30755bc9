import { defineConfig } from 'tsup'
import { base, besideIndex, entriesBeside } from '../../tsup.base.js'

export default defineConfig([
  {
    ...base,
    // The other build writes there, maybe at the same time.
    clean: ['!page', '!page/**'],
    entry: entriesBeside(import.meta.url),
    splitting: false,
    esbuildPlugins: [besideIndex],
  },
  // What browsers load: one script and one style sheet, readable as they stand.
  {
    entry: ['page/page.ts', 'page/page.css'],
    outDir: 'dist/page',
    format: 'iife',
    target: 'es2020',
    platform: 'browser',
    outExtension: () => ({ js: '.js' }),
    clean: true,
    dts: false,
  },
])
