import { defineConfig } from 'vitest/config'
import { base } from '../../vitest.base.js'

// The runners are started as programs: nothing takes the place of the one that runs this suite.
export default defineConfig({
  test: {
    ...base.test,
    include: ['src/runners/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    outputFile: { json: 'test-results/lowest.json' },
    env: { CHAOS_PEERS: 'lowest' },
  },
})
