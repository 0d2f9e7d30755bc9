import { defineConfig, type Options } from 'tsup'
import { base, besideIndex, entriesBeside } from '../../tsup.base.js'

/** The command starts the server of the file beside its own, and the list of faults takes those of other entries from their files. */
const besideFolders: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'beside-folders',
  setup(build) {
    const extension = build.initialOptions.format === 'cjs' ? 'cjs' : 'js'
    build.onResolve({ filter: /\/(http|toxiproxy|udp)\/index\.js$/ }, ({ path }) => {
      const folder = path.split('/').at(-2) as string
      return { path: `./${folder}.${extension}`, external: true, sideEffects: false }
    })
  },
}

export default defineConfig({
  ...base,
  entry: { ...entriesBeside(import.meta.url), bin: 'src/bin/chaos-proxy.ts', thread: 'src/thread.ts' },
  splitting: false,
  esbuildPlugins: [besideIndex, besideFolders],
})
