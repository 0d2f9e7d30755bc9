// The one rule by which a file of a package is an entry. tsup.base.ts builds what it finds, `npm run sync` publishes it.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Files beside the folders of `src` that are entries, by name. */
const FILES = ['index', 'authoring', 'faults', 'register']
/** Folders with one folder for each library. */
const LIBRARIES = ['clients', 'drivers', 'runners']
/** Folders whose entry has another name than the folder. */
const RENAMED = { calls: 'index', files: 'fs' }
/** Folders with an `index.ts` for the package itself. */
const INTERNAL = ['errors']

const foldersIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    : []

/**
 * The entries of a package: name and file, by name, `index` first.
 *
 * - `src/<name>.ts` for `index`, `authoring`, `faults` and `register`;
 * - `src/<folder>/index.ts`, named after the folder (`calls` is the main entry, `files` is `fs`);
 * - `src/clients/<library>/index.ts`, `src/drivers/<library>/index.ts` and `src/runners/<library>/index.ts`, named after the library.
 *
 * @param {string} folder of the package
 * @param {readonly string[]} expected files that count as there
 */
export function entriesOf(folder, expected = []) {
  const found = [
    ...FILES.map((name) => [name, `src/${name}.ts`]),
    ...foldersIn(join(folder, 'src'))
      .filter((name) => !INTERNAL.includes(name))
      .map((name) => [RENAMED[name] ?? name, `src/${name}/index.ts`]),
    ...LIBRARIES.flatMap((kind) =>
      foldersIn(join(folder, 'src', kind)).map((name) => [name, `src/${kind}/${name}/index.ts`]),
    ),
  ]
  const rank = (name) => (name === 'index' ? '' : name)
  return Object.fromEntries(
    found
      .filter(([, file]) => expected.includes(file) || existsSync(join(folder, file)))
      .sort(([one], [other]) => (rank(one) < rank(other) ? -1 : 1)),
  )
}
