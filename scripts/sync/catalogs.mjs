// What the sources say of the faults: their catalog entries. They are bundled and run as they stand, so nothing has to be built.
import { rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from './tree.mjs'

const CORE = { '@chaos/core': 'index', '@chaos/core/authoring': 'authoring' }
/** Core is read from its sources too, not from what was built of it. */
const coreFromSource = {
  name: 'core-from-source',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@chaos\/core/ }, ({ path }) => ({ path: join(root, `packages/core/src/${CORE[path]}.ts`) })),
}

/** Sources that sync writes are read as it will write them, which may not have happened yet. */
const asWritten = (sources) => ({
  name: 'as-written',
  setup({ onResolve, onLoad }) {
    const texts = new Map(sources.map(([path, text]) => [join(root, path), text]))
    const names = [...texts.keys()].map((path) => basename(path, '.ts'))
    onResolve({ filter: new RegExp(`^\\.{1,2}/(.*/)?(${names.join('|')})\\.js$`) }, ({ path, importer }) => {
      const found = join(dirname(importer), path.replace(/\.js$/, '.ts'))
      return texts.has(found) ? { path: found } : undefined
    })
    onLoad({ filter: /\.ts$/ }, ({ path }) =>
      texts.has(path) ? { contents: texts.get(path), loader: 'ts' } : undefined,
    )
  },
})

/**
 * The catalog entry of each fault, by its file, and the JSON Schema of experiments.
 *
 * @param packages of the tree
 * @param sources that sync writes: path and text
 * @throws Error when a fault is not named after its package and file.
 */
export async function readCatalogs(packages, sources) {
  const faults = packages.flatMap((one) => one.faults)
  const hasExperiments = packages.some(({ id }) => id === 'experiment')
  const outfile = join(root, 'node_modules/.cache/sync', `catalogs-${process.pid}.mjs`)
  await build({
    stdin: {
      contents: [
        ...faults.map(({ file, factory }, index) => `import { ${factory} as fault${index} } from './${file}'`),
        `export const catalogs = [${faults.map((_, index) => `fault${index}.catalog`).join(', ')}]`,
        hasExperiments
          ? "export { experimentJsonSchema } from './packages/experiment/src/model/json-schema.ts'"
          : 'export const experimentJsonSchema = () => undefined',
      ].join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [coreFromSource, asWritten(sources)],
    logLevel: 'silent',
    outfile,
  })
  const { catalogs, experimentJsonSchema } = await import(pathToFileURL(outfile).href).finally(() => rmSync(outfile))
  faults.forEach(({ file, name }, index) => {
    if (catalogs[index].name !== name)
      throw new Error(`Expected the fault in ${file} to be named \`${name}\`, got \`${catalogs[index].name}\`.`)
  })
  return {
    catalogs: new Map(faults.map(({ file }, index) => [file, catalogs[index]])),
    experimentSchema: experimentJsonSchema(),
  }
}
