import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build as bundle, transform } from 'esbuild'
import { defineConfig, type Options } from 'tsup'
import { base, entriesBeside } from '../../tsup.base.js'

const source = fileURLToPath(new URL('src/', import.meta.url))

/** What core uses of valibot: `v.<name>`. */
function usedOfValibot(): readonly string[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const text = files.map((file) => readFileSync(`${source}${file}`, 'utf8')).join('\n')
  return [...new Set([...text.matchAll(/\bv\.([a-z]\w*)\(/g)].map(([, name = '']) => name))]
}

/**
 * Writes what core uses of its schema library, a fifth of it, into a file of its own, without line breaks: core has no runtime
 * dependency, and nobody reads that file. It is CommonJS, which the ES modules can import as well.
 */
const schemaLibrary: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'schema-library',
  setup(build) {
    // With shared code, tsup has ES modules made first, and turns them into CommonJS afterwards.
    const isCommonJs = build.initialOptions.outExtension?.['.js'] === '.cjs'
    build.onResolve({ filter: /^(@valibot\/to-json-schema|valibot)$/ }, () => ({
      path: './schema-library.cjs',
      external: true,
      sideEffects: false,
    }))
    if (!isCommonJs) return
    build.onEnd(async () => {
      await bundle({
        stdin: {
          contents: `export { ${usedOfValibot().join(', ')} } from 'valibot'; export { toJsonSchema } from '@valibot/to-json-schema'`,
          resolveDir: source,
        },
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node18',
        format: 'cjs',
        outfile: 'dist/schema-library.cjs',
      })
    })
  },
}

/**
 * Prints CommonJS without spaces and indentation, in lines of 120 characters: the ES modules beside it are the ones to read, and
 * names stay as they are.
 */
const compactCommonJs: NonNullable<Options['plugins']>[number] = {
  name: 'compact-common-js',
  // In the end, when tsup has turned imports into calls of `require`.
  async buildEnd({ writtenFiles }) {
    for (const { name } of writtenFiles.filter((file) => file.name.endsWith('.cjs'))) {
      const { code } = await transform(readFileSync(name, 'utf8'), {
        minifyWhitespace: true,
        lineLimit: 120,
        charset: 'utf8',
      })
      writeFileSync(name, code)
    }
  },
}

/** Leaves out the lines that name the file which a part of the bundle comes from, and descriptions: the declarations have these. */
const withoutPaths: NonNullable<Options['plugins']>[number] = {
  name: 'without-paths',
  renderChunk: (code) => ({ code: code.replace(/^\/\/ src\/\S+\n/gm, '').replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '') }),
}

export default defineConfig({
  ...base,
  entry: entriesBeside(import.meta.url),
  splitting: true,
  noExternal: ['valibot', '@valibot/to-json-schema'],
  esbuildPlugins: [schemaLibrary],
  plugins: [withoutPaths, compactCommonJs],
})
