import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

// Core has no runtime dependency: what it uses of its schema library, a fifth of it, is part of the bundle.
export default defineConfig({
  ...base,
  entry: { index: 'src/index.ts', authoring: 'src/authoring.ts', testing: 'src/testing/index.ts' },
  splitting: true,
  noExternal: ['valibot', '@valibot/to-json-schema'],
})
