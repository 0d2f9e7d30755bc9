import { defineConfig } from 'tsup'
import { base, entriesBeside } from '../../tsup.base.js'

// Core has no runtime dependency: what it uses of its schema library, a fifth of it, is part of the bundle.
export default defineConfig({
  ...base,
  entry: entriesBeside(import.meta.url),
  splitting: true,
  noExternal: ['valibot', '@valibot/to-json-schema'],
})
