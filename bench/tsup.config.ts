import { defineConfig } from 'tsup'
import { base } from '../tsup.base.js'

// Targets and loops are entries of their own: each side of a comparison loads its own copy of them.
// A forwarder is a process of its own, and so is an app with a control endpoint.
export default defineConfig({
  ...base,
  entry: [
    'src/main.ts',
    'src/child.ts',
    'src/runner/batch.ts',
    'src/proxy/forwarder.ts',
    'src/endpoint/app.ts',
    'src/targets/*.ts',
  ],
  format: ['esm'],
})
