import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'

/** How every suite runs; the JSON results are what `scripts/totals.mjs` adds up. */
export const base = {
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // What takes minutes, or depends on a machine of its own: `npm run soak`.
    exclude: ['**/*.soak.test.ts', '**/node_modules/**', '**/dist/**'],
    setupFiles: [fileURLToPath(new URL('./vitest.setup.ts', import.meta.url))],
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
    // A file finds the modules that files before it have loaded: half of the time of many suites is loading. Each leaves all as it found it.
    isolate: false,
    // Suites mostly wait for servers, processes and timers, so that one file at a time, which is what two cores are given, leaves both idle. Three make what runs in real time late.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Limits for what hangs, not bars on speed: those live in bench/.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 45_000 } },
    restoreMocks: true,
    unstubEnvs: true,
  },
} satisfies ViteUserConfig
