import { fileURLToPath } from 'node:url'
import type { Options } from 'tsup'
import { entriesOf } from './scripts/sync/entries.mjs'

/** An entry that stands on what its package exports finds it in the file beside its own: the package is one file to load, and there is one of it. */
export const besideIndex: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'beside-index',
  setup(build) {
    const path = build.initialOptions.format === 'cjs' ? './index.cjs' : './index.js'
    build.onResolve({ filter: /^\.\.?\/index\.js$/ }, () => ({ path, external: true, sideEffects: false }))
  },
}

/** How every published package is built: ESM and CommonJS with types, for Node.js 18 and up. */
export const base = {
  format: ['esm', 'cjs'],
  target: 'node18',
  platform: 'node',
  clean: true,
  // What is published is readable as it stands, with its names and line breaks; maps tripled what a user installs.
  sourcemap: false,
  shims: true,
  // tsup's declaration build still sets `baseUrl`, which TypeScript 6 calls deprecated (TS5101). It writes declarations only: `npm run typecheck` checks the types.
  dts: { compilerOptions: { ignoreDeprecations: '6.0', noCheck: true } },
} satisfies Options

/** The entries of the package whose `tsup.config.ts` this is, as its package.json publishes them. */
export const entriesBeside = (config: string): Record<string, string> => ({
  ...entriesOf(fileURLToPath(new URL('.', config))),
})
