import { defineConfig } from 'tsup'
import { base, besideIndex, entriesBeside } from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: entriesBeside(import.meta.url),
  splitting: false,
  esbuildPlugins: [besideIndex],
})
