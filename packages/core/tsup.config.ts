import { defineConfig, type Options } from 'tsup'
import { base } from '../../tsup.base.js'

/** `testing` stands on what core exports, and finds it in the file beside its own: core is one file to load, and there is one of it. */
const besideCore: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'beside-core',
  setup(build) {
    const path = build.initialOptions.format === 'cjs' ? './index.cjs' : './index.js'
    build.onResolve({ filter: /^\.\.\/index\.js$/ }, () => ({ path, external: true, sideEffects: false }))
  },
}

// What core uses of its schema library is a fifth of it, and loading the whole of it took longer than core itself. Types still come from the package.
export default defineConfig({
  ...base,
  entry: { index: 'src/index.ts', testing: 'src/testing/index.ts' },
  splitting: false,
  noExternal: ['valibot', '@valibot/to-json-schema'],
  esbuildPlugins: [besideCore],
})
