import { defineConfig } from 'vitest/config'
import { base } from './vitest.base.js'

/**
 * How `npm run soak -- <name>` runs the suites that a package's script `soak:<name>` asks for: one file at a time, and for as long as it takes.
 * `CHAOS_SOAK` is `whole`, or `quick` for what takes a minute.
 */
export default defineConfig({
  test: {
    ...base.test,
    include: ['**/*.soak.test.ts', ...base.test.include],
    exclude: ['**/node_modules/**', '**/dist/**'],
    outputFile: { json: 'test-results/soak.json' },
    fileParallelism: false,
    testTimeout: 30 * 60_000,
    hookTimeout: 5 * 60_000,
  },
})
