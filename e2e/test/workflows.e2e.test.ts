import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NODE_VERSIONS } from '../src/node-versions.js'
import { readJson, repositoryFiles, root } from '../src/repository.js'

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')
const workflow = (name: string): string => textOf(`.github/workflows/${name}.yml`)

describe('the workflows', () => {
  it('use actions of others by the hash of a commit, with the version beside it', () => {
    const used = repositoryFiles('.github').flatMap((path) =>
      [...textOf(path).matchAll(/^.*\buses: (.+)$/gm)].map(([, action = '']) => action),
    )
    expect(used.length).toBeGreaterThan(5)
    for (const action of used) expect(action).toMatch(/^(\.\/\S+|[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
  })

  it('let no step fail unseen', () => {
    for (const path of repositoryFiles('.github'))
      expect(textOf(path), path).not.toMatch(/continue-on-error|\|\| true|--no-frozen-lockfile/)
  })

  it('require every service', () => {
    expect(workflow('ci')).toContain('- run: .ci/run')
    for (const command of ['npm test', 'npm run soak -- --quick'])
      expect(textOf('.ci/run')).toContain(`CHAOS_REQUIRE_SERVICES=all ${command}`)
    for (const name of ['ci', 'nightly']) expect(workflow(name)).toContain('env: { CHAOS_REQUIRE_SERVICES: all }')
  })

  it('run the suites on every version of Node.js that has the test runner, and the packed packages on all', () => {
    const { scripts } = readJson(join(root, 'e2e/package.json')) as {
      readonly scripts: Readonly<Record<string, string>>
    }
    expect(scripts['soak:versions']).toContain('compatibility.e2e.test.ts')
    const inCi = [...workflow('ci').matchAll(/node-version: (\d+)|node: \[([\d, ]+)\]/g)]
      .flatMap(([, one, several]) => (one ?? several ?? '').split(', '))
      .map(Number)
    expect([18, ...inCi]).toEqual(NODE_VERSIONS.map((version) => Number(version.split('.')[0])))
  })
})

describe('the workflow of releases', () => {
  it('runs on main only, after everything that a pull request must pass', () => {
    expect(/^on:\n((?: .+\n)+)/m.exec(workflow('release'))?.[1]).toBe('  push: { branches: [main] }\n')
    expect(workflow('release')).toMatch(/^ {2}ci:\n {4}uses: \.\/\.github\/workflows\/ci\.yml$/m)
    expect(workflow('release')).toMatch(/^ {2}release:\n {4}needs: ci$/m)
    expect(workflow('ci')).toMatch(/^ {2}workflow_call:$/m)
  })

  it('has what signing takes, and publishes by the command that the soak of releases rehearses', () => {
    expect(workflow('release')).toMatch(/^ {6}id-token: write\b/m)
    expect(workflow('release')).toMatch(/^ {10}pnpm_config_provenance: 'true'$/m)
    expect(workflow('release')).toMatch(/^ {10}publish: npm run release$/m)
  })
})
