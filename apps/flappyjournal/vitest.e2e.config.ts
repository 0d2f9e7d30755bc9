import { defineConfig } from 'vitest/config'

/** These run in real time, one after another and alone on the machine: a loaded one pushes a 100 Hz loop below its objective. */
export default defineConfig({
  test: {
    include: ['e2e/**/*.e2e.test.ts', 'tools/**/*.e2e.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/e2e.json' },
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
})
