import { defineConfig } from 'vitest/config'
import { base } from '../../vitest.base.js'

export default defineConfig({
  test: {
    ...base.test,
    include: [...base.test.include, 'tools/**/*.test.ts', 'demo/**/*.test.ts', 'e2e/**/*.test.ts'],
    exclude: [...base.test.exclude, '**/*.e2e.test.ts'],
  },
})
