import { defineConfig } from 'tsup'
import { base, besideIndex } from '../../tsup.base.js'

// What core uses of its schema library is a fifth of it, and loading the whole of it took longer than core itself. Types still come from the package.
export default defineConfig({
  ...base,
  entry: { index: 'src/index.ts', testing: 'src/testing/index.ts' },
  splitting: false,
  noExternal: ['valibot', '@valibot/to-json-schema'],
  esbuildPlugins: [besideIndex],
})
