import { defineConfig } from 'vitest/config'
import soak from '../vitest.soak.js'

export default defineConfig({
  test: {
    ...soak.test,
    include: ['test/**/*.soak.test.ts', 'test/**/*.e2e.test.ts'],
    globalSetup: ['src/pack-packages.setup.ts'],
  },
})
