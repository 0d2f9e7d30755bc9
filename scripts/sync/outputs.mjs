// Everything that sync writes: text by path, formatted as the repository is.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { formatted } from '../format.mjs'
import { readCatalogs } from './catalogs.mjs'
import { manifestOf, withPackages } from './manifests.mjs'
import { choosingPageOf, faultPageOf, indexesOfPages, probesPageOf } from './pages.mjs'
import { compatibilityOf, readmeOf, rootReadmeOf } from './readmes.mjs'
import { indexesOf, listsOf, probeTypesOf } from './sources.mjs'
import { packagesOfTree, read, root } from './tree.mjs'

/** Files that are written as they are, by tools that know nothing of formatting. */
const UNFORMATTED = ['llms.txt', 'packages/experiment/experiment.schema.json']

export async function outputs() {
  const packages = packagesOfTree()
  const sources = packages.flatMap((one) => [...indexesOf(one), ...listsOf(one), ...probeTypesOf(one)])
  const { catalogs, experimentSchema } = await readCatalogs(packages, sources)
  const pages = [
    ...packages.flatMap((one) => one.faults).map((fault) => faultPageOf(fault, catalogs)),
    ...choosingPageOf(packages, catalogs),
    ...packages.flatMap((one) => probesPageOf(one.probes, experimentSchema)),
  ]
  const written = [
    ...packages.map((one) => manifestOf(one)),
    ['e2e/package.json', withPackages(packages, JSON.parse(read('e2e/package.json')))],
    ...sources,
    ...(experimentSchema === undefined
      ? []
      : [['packages/experiment/experiment.schema.json', `${JSON.stringify(experimentSchema, null, 2)}\n`]]),
    ...packages.flatMap((one) => readmeOf(one, catalogs)),
    rootReadmeOf(packages),
    compatibilityOf(packages),
    ...pages,
    ...indexesOfPages(packages, catalogs, new Map(pages)),
  ]
  return new Map(await Promise.all(written.map(async ([path, text]) => [path, await asWritten(path, text)])))
}

function asWritten(path, text) {
  // What is there is formatted.
  const isWritten = UNFORMATTED.includes(path) || (existsSync(join(root, path)) && read(path) === text)
  return isWritten ? text : formatted(path, text)
}
