import { defineConfig } from 'tsup'
import { base, entriesBeside } from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: {
    ...entriesBeside(import.meta.url),
    // Threads and processes load the run of a test on its own.
    'isolated-run': 'src/explore/isolated-run.ts',
    bin: 'src/bin/chaos-explore.ts',
  },
  // The entries share their code, and what it remembers: there is one of it, also for CommonJS.
  splitting: true,
  // Jest provides it to the files of a test.
  external: ['@jest/globals'],
})
