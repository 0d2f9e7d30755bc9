import { defineConfig } from 'vitest/config'
import { base } from '../vitest.base.js'

// The suites start processes of their own, which share nothing. None has a bar in real time, so that other suites may run beside them.
export default defineConfig({
  test: {
    ...base.test,
    include: ['src/**/*.test.ts', 'test/**/*.e2e.test.ts'],
    globalSetup: ['src/pack-packages.setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
})
