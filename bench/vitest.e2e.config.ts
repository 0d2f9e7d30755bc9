import { defineConfig } from 'vitest/config'
import { base } from '../vitest.base.js'

// The fast check, which measures: with the end-to-end suites, last and alone.
export default defineConfig({
  test: {
    ...base.test,
    include: ['test/**/*.e2e.test.ts'],
    outputFile: { json: 'test-results/e2e.json' },
    testTimeout: 300_000,
  },
})
