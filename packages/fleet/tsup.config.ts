import { defineConfig, type Options } from 'tsup'
import { base, besideIndex, entriesBeside } from '../../tsup.base.js'

/** The command finds the delegates in the file beside its own, and loads it, and YAML with it, only to render. */
const besideDelegates: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'beside-delegates',
  setup(build) {
    const path = build.initialOptions.format === 'cjs' ? './delegates.cjs' : './delegates.js'
    build.onResolve({ filter: /\/delegates\/index\.js$/ }, () => ({ path, external: true, sideEffects: false }))
  },
}

export default defineConfig({
  ...base,
  entry: { ...entriesBeside(import.meta.url), bin: 'src/bin/chaos-fleet.ts' },
  splitting: false,
  esbuildPlugins: [besideIndex, besideDelegates],
})
