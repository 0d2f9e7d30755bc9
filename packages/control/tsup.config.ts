import { defineConfig } from 'tsup'
import { base, besideIndex } from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: { index: 'src/index.ts', register: 'src/register.ts' },
  splitting: false,
  esbuildPlugins: [besideIndex],
})
