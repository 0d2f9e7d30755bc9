import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { base } from './vitest.base.js'

/** What a package is installed as, a second time, in the lowest version that its peer range names. */
const SUFFIX = '-lowest'

/**
 * Runs suites of a package against the lowest versions of its peers: every dependency `<name>-lowest` takes the place of `<name>`.
 *
 * @param url `import.meta.url` of the configuration in the package's folder.
 */
export function lowestPeers(url: string, include: readonly string[], exclude: readonly string[] = []): ViteUserConfig {
  const require = createRequire(url)
  const { devDependencies } = require('./package.json') as {
    readonly devDependencies: Readonly<Record<string, string>>
  }
  const names = Object.keys(devDependencies)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
  const alias = names.map((name) => ({
    find: new RegExp(`^${name}(/.*)?$`),
    replacement: `${folderOf(require, name)}$1`,
  }))
  return defineConfig({
    test: {
      ...base.test,
      include: [...include],
      exclude: [...exclude],
      outputFile: { json: 'test-results/lowest.json' },
      env: { CHAOS_PEERS: 'lowest' },
    },
    resolve: { alias },
  })
}

/** Not every package lets its `package.json` be resolved, but its entry point always is in its folder. */
function folderOf(require: NodeJS.Require, name: string): string {
  const folder = join('node_modules', ...name.split('/'))
  const entry = require.resolve(name + SUFFIX)
  return entry.slice(0, entry.lastIndexOf(folder + sep) + folder.length)
}
