import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

const root = fileURLToPath(new URL('.', import.meta.url))

/**
 * Has TypeScript's native compiler declare the entries of a package, for tsup to bundle: bundling declarations takes a fraction of the
 * time of inferring them. They are not checked: `npm run typecheck` does that.
 *
 * @param folder of the package
 * @returns The declarations of each entry, by name. None for a private package, whose types are read from `src`.
 */
function declarationsOf(folder: string): Record<string, string> | undefined {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly private?: boolean }
  if (manifest.private === true) return undefined
  const out = join(folder, '.declarations')
  const entries = Object.entries(entriesOf(folder))
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  writeFileSync(
    join(out, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      files: entries.map(([, file]) => join(folder, file)),
      compilerOptions: {
        noEmit: false,
        emitDeclarationOnly: true,
        declaration: true,
        noCheck: true,
        rootDir: join(folder, 'src'),
        outDir: out,
        typeRoots: [join(root, 'node_modules', '@types')],
      },
    }),
  )
  const compiler = join(root, 'node_modules', 'typescript-native', 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', out], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Cannot declare what ${folder} exports.\n${stdout}`)
  return Object.fromEntries(
    entries.map(([name, file]) => [name, join(out, file.replace(/^src\/(.*)\.ts$/, '$1.d.ts'))]),
  )
}

const declarations = declarationsOf(process.cwd())

/** How every package is built: for Node.js 18 and up. A published one as ESM and CommonJS, with types. */
export const base = {
  format: ['esm', 'cjs'],
  target: 'node18',
  platform: 'node',
  clean: true,
  // What is published is readable as it stands, with its names and line breaks; maps tripled what a user installs.
  sourcemap: false,
  shims: true,
  // tsup still sets `baseUrl`, which TypeScript 6 calls deprecated (TS5101).
  dts: declarations !== undefined && { entry: declarations, compilerOptions: { ignoreDeprecations: '6.0' } },
} satisfies Options

/** The entries of the package whose `tsup.config.ts` this is, as its package.json publishes them. */
export const entriesBeside = (config: string): Record<string, string> => ({
  ...entriesOf(fileURLToPath(new URL('.', config))),
})
