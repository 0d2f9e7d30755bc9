import type { ViteUserConfig } from 'vitest/config'

/** How every suite runs; the JSON results are what `scripts/totals.mjs` adds up. */
export const base = {
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    typecheck: { enabled: true, include: ['src/**/*.test-d.ts'] },
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
    restoreMocks: true,
    unstubEnvs: true,
  },
} satisfies ViteUserConfig
