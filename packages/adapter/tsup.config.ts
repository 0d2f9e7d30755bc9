import { defineConfig } from 'tsup'
import { base, entriesBeside } from '../../tsup.base.js'

// The CommonJS entries share their code, as the ESM ones do.
export default defineConfig({ ...base, entry: entriesBeside(import.meta.url), splitting: true })
