import { defineConfig } from 'tsup'
import { base } from '../tsup.base.js'

export default defineConfig({
  ...base,
  entry: { index: 'src/index.ts', 'evaluator-worker': 'src/evaluator-worker.ts' },
  format: ['esm'],
  target: 'node20',
})
