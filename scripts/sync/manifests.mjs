// What sync writes into package.json: the entries as exports, and the libraries that are bound as optional peers.

const targets = (name) => ({
  import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
  require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
})

const jsonOf = (value) => `${JSON.stringify(value, null, 2)}\n`

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1)))

/** The lowest version of a range: `^5.3.0 || ^6.0.0` → `5.3.0` */
const lowestOf = (range) => /\d[\w.-]*/.exec(range)?.[0] ?? range

export function manifestOf({ dir, manifest, entries, libraries }) {
  const files = Object.entries(manifest.exports ?? {}).filter(([, target]) => typeof target === 'string')
  const exports = {
    ...Object.fromEntries(Object.keys(entries).map((name) => [name === 'index' ? '.' : `./${name}`, targets(name)])),
    ...Object.fromEntries(files),
  }
  const synced = { ...manifest, exports }
  if (libraries.length > 0) {
    const peers = sorted(Object.assign({}, ...libraries.map((one) => one.peers)))
    synced.peerDependencies = peers
    synced.peerDependenciesMeta = Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }]))
    synced.devDependencies = sorted({ ...triedOf(libraries), ...manifest.devDependencies })
  }
  return [`${dir}/package.json`, jsonOf(synced)]
}

/**
 * The versions that the tests install of each library: a recent one, and the lowest of its range as `<library>-lowest`. Sync adds what is missing and
 * leaves alone what is there, since tools update it.
 */
function triedOf(libraries) {
  return Object.assign(
    {},
    ...libraries.flatMap(({ peers, broughtBy = {} }) =>
      Object.entries(peers)
        .map(([name, range]) => [broughtBy[name] ?? name, range])
        .map(([name, range]) => ({ [name]: range, [`${name}-lowest`]: `npm:${name}@${lowestOf(range)}` })),
    ),
  )
}

/** The end-to-end tests import every package by its name. */
export function withPackages(packages, manifest) {
  const missing = packages.filter((one) => manifest.dependencies[one.manifest.name] === undefined)
  const dependencies = Object.fromEntries(missing.map((one) => [one.manifest.name, 'workspace:^']))
  return jsonOf({ ...manifest, dependencies: { ...manifest.dependencies, ...dependencies } })
}
