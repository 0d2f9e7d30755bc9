// What the tree says of the packages: their entries, their faults, the libraries that they bind.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { entriesOf } from './entries.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export const read = (path) => readFileSync(join(root, path), 'utf8')

/** Files beneath a folder, relative to the root, by name. */
export function filesIn(folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesIn(`${folder}/${entry.name}`) : `${folder}/${entry.name}`))
    .sort()
}

/** `drop-events` → `dropEvents` */
export const camelCase = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
/** `drop-events` → `DropEvents` */
export const pascalCase = (name) => camelCase(`-${name}`)

/** From core, which stands on nothing, to the command line, which stands on the most; injectors between, by name. */
const ORDER = ['core', undefined, 'control', 'experiment', 'test', 'cli', 'mcp', 'fleet']
const rankOf = ({ id }) => (ORDER.includes(id) ? ORDER.indexOf(id) : 1)

/** The published packages. */
export function packagesOfTree() {
  return readdirSync(join(root, 'packages'))
    .filter((id) => existsSync(join(root, 'packages', id, 'package.json')))
    .map((id) => packageOf(id))
    .sort((one, other) => rankOf(one) - rankOf(other) || (one.id < other.id ? -1 : 1))
}

function packageOf(id) {
  const dir = `packages/${id}`
  const faults = filesIn(`${dir}/src`).flatMap((file) => faultIn(id, file))
  return {
    id,
    dir,
    manifest: JSON.parse(read(`${dir}/package.json`)),
    // The list of all faults is an entry that sync writes.
    entries: entriesOf(join(root, dir), faults.length > 0 ? ['src/faults.ts'] : []),
    faults,
    groups: [...new Set(faults.map(({ index }) => index))].map((index) => groupOf(index, faults)),
    libraries: librariesIn(dir),
    probes: filesIn(`${dir}/src/probes`).flatMap(probeIn),
  }
}

/** The faults that one entry exports: its own, and those of another folder that people export there by hand. */
function groupOf(index, faults) {
  const text = read(index)
  const isExported = ({ file }) => text.includes(`from '../${file.split('/src/')[1].replace(/\.ts$/, '.js')}'`)
  const own = faults.filter((fault) => fault.index === index)
  return {
    index,
    folder: basename(dirname(index)),
    own,
    all: faults
      .filter((fault) => own.includes(fault) || isExported(fault))
      .sort((one, other) => (one.factory < other.factory ? -1 : 1)),
  }
}

/** A fault is a file of a folder `faults` that exports a factory of its own name. Other files there help the faults. */
function faultIn(id, file) {
  if (!/\/faults\/[a-z-]+\.ts$/.test(file)) return []
  const name = basename(file, '.ts')
  const factory = camelCase(name)
  const text = read(file)
  if (!new RegExp(`^export const ${factory} = defineFault\\(`, 'm').test(text)) return []
  const options = `${pascalCase(name)}Options`
  return [
    {
      file,
      factory,
      name: `${id}/${name}`,
      options: new RegExp(`^export (?:type|interface) ${options}\\b`, 'm').test(text) ? options : undefined,
      index: `${dirname(dirname(file))}/index.ts`,
    },
  ]
}

/** The libraries whose clients a package binds, each described by a JSON file beside its entry. */
function librariesIn(dir) {
  return filesIn(`${dir}/src`)
    .filter((file) => /\/(clients\/[^/]+\/client|drivers\/[^/]+\/driver)\.json$/.test(file))
    .map((file) => ({ file, entry: basename(dirname(file)), ...JSON.parse(read(file)) }))
}

/** A type of probe is a file of `probes/` that exports a probe of its own name; its comment says what it does. */
function probeIn(file) {
  const type = basename(file, '.ts')
  const name = `${camelCase(type)}Probe`
  const [, summary] = new RegExp(`/\\*\\* (.+) \\*/\\nexport const ${name} = probeType\\(`).exec(read(file)) ?? []
  return summary === undefined ? [] : [{ file, type, name, summary }]
}
