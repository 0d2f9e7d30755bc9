import { defineConfig } from 'tsup'
import { base } from '../tsup.base.js'

// The programs are what the processes of a fleet run. The index is built too, so that benchmarks can use it.
export default defineConfig({
  ...base,
  entry: ['src/index.ts', 'src/programs/agents.ts', 'src/programs/controller.ts', 'src/soak/main.ts'],
  format: ['esm'],
  target: 'node20',
  shims: false,
})
