import { defineConfig } from 'vitest/config'
import { base } from '../vitest.base.js'

// One file at a time: the suites start processes of their own. None has a bar in real time, so that other packages' suites may run beside them.
export default defineConfig({
  test: {
    ...base.test,
    include: ['src/**/*.test.ts', 'test/**/*.e2e.test.ts'],
    fileParallelism: false,
    globalSetup: ['src/pack-packages.setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
})
