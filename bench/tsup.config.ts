import { defineConfig } from 'tsup'
import { base } from '../tsup.base.js'

// Targets and loops are entries of their own: each side of a comparison loads its own copy of them.
export default defineConfig({
  ...base,
  entry: ['src/main.ts', 'src/child.ts', 'src/runner/batch.ts', 'src/targets/*.ts'],
  format: ['esm'],
  dts: false,
})
