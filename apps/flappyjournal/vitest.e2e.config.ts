import { defineConfig } from 'vitest/config'
import { base } from '../../vitest.base.js'

/**
 * These run in real time, alone on the machine: a loaded one pushes a 100 Hz loop below its objective. Each mostly waits for windows of
 * time to pass, so that two of them leave two cores idle.
 */
export default defineConfig({
  test: {
    setupFiles: base.test.setupFiles,
    include: ['e2e/**/*.e2e.test.ts', 'tools/**/*.e2e.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/e2e.json' },
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    restoreMocks: base.test.restoreMocks,
    unstubEnvs: base.test.unstubEnvs,
  },
})
