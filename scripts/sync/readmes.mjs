// What sync writes into the READMEs of packages, the one of the root, and the page on compatibility: tables.
import { groupName } from './sources.mjs'
import { inMarkdown, table } from './text.mjs'
import { read } from './tree.mjs'

/** Faults by entry, as the README of their package shows them, and the bindings of libraries. */
export function readmeOf({ id, dir, groups, libraries }, catalogs) {
  if (groups.length === 0) return []
  const path = `${dir}/README.md`
  let text = read(path)
  for (const { folder, all } of groups) {
    const block = folder === 'src' ? 'faults' : `faults of ${folder}`
    const entry = `\`@chaos/${id}/faults\``
    const note =
      groups.length === 1
        ? `As a list: \`faults\` of ${entry}.`
        : `As a list: \`${groupName(folder)}\` of ${entry}; \`faults\` has those of the whole package.`
    text = inMarkdown(path, text, block, `${faultTable(all, catalogs)}\n\n${note}`)
  }
  if (libraries.length > 0) text = inMarkdown(path, text, 'libraries', libraryTable(libraries))
  return [[path, text]]
}

const faultTable = (faults, catalogs) =>
  table(
    ['fault', 'kind', 'what it does'],
    faults.map(({ factory, name, file }) => {
      const { kind, summary } = catalogs.get(file)
      return [`[\`${factory}\`](../../docs/faults/${name}.md)`, kind, summary]
    }),
  )

/** Every binding of a library, with what its JSON file says of it. Its columns are those of the first. */
function libraryTable(libraries) {
  const bindings = libraries.flatMap(({ entry, file, bindings: all }) =>
    all.map((binding) => [`\`@chaos/${file.split('/')[1]}/${entry}\``, binding]),
  )
  const columns = Object.keys(bindings[0][1])
  return table(
    ['import from', ...columns],
    bindings.map(([subpath, binding]) => [subpath, ...columns.map((column) => binding[column] ?? '')]),
  )
}

/** The packages, as the README of the root shows them. */
export function rootReadmeOf(packages) {
  const rows = packages.map(({ id, manifest }) => [
    `[\`${manifest.name}\`](packages/${id}/README.md)`,
    manifest.description,
  ])
  return ['README.md', inMarkdown('README.md', read('README.md'), 'packages', table(['package', 'what it is'], rows))]
}

/** The ranges of the libraries that are bound. */
export function compatibilityOf(packages) {
  const path = 'docs/compatibility.md'
  const ranges = new Map()
  for (const { id, libraries } of packages)
    for (const [name, range] of libraries.flatMap(({ peers }) => Object.entries(peers)))
      ranges.set(`${name} ${range}`, { name, range, by: [...(ranges.get(`${name} ${range}`)?.by ?? []), id] })
  const rows = [...ranges.values()]
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, range, by }) => [name, `\`${range}\``, [...new Set(by)].map((id) => `\`@chaos/${id}\``).join(', ')])
  return [path, inMarkdown(path, read(path), 'peers', table(['library', 'range', 'bound by'], rows))]
}
