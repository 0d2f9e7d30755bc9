import { defineConfig } from 'tsup'
import { base, besideIndex, entriesBeside } from '../../tsup.base.js'

// A subpath for each client library, so that nobody loads what they do not use.
export default defineConfig({ ...base, entry: entriesBeside(import.meta.url), esbuildPlugins: [besideIndex] })
