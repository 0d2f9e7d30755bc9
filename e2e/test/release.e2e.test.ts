import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packages, root } from '../src/repository.js'
import { copyRepository, raised, type Bump, type ReleaseCopy, type Versions } from '../src/release-copy.js'

/** What the versions of a release follow from. */
const MANIFESTS = ['package.json', 'pnpm-workspace.yaml', '*/package.json', '*/*/package.json', '.changeset/*']

let copy: ReleaseCopy

beforeAll(async () => {
  copy = await copyRepository(...MANIFESTS)
  symlinkSync(join(root, 'node_modules'), join(copy.dir, 'node_modules'))
  await copy.version()
})
afterAll(() => copy.remove())

/** The versions before and after a release of one changeset. */
async function release(bumps: Readonly<Record<string, Bump>>): Promise<readonly [before: Versions, after: Versions]> {
  const before = copy.versions()
  copy.addChangeset(bumps, 'A change.')
  return [before, await copy.version()]
}

describe('a release', () => {
  it('is 1.0.0 of every package that was never released', () => {
    for (const { manifest } of packages) {
      const next = copy.versions()[manifest.name]
      if (manifest.version === '0.0.0') expect(next, manifest.name).toBe('1.0.0')
      else expect(next, manifest.name).toMatch(/^[1-9]/)
    }
  })

  it('of one injector bumps that one alone', async () => {
    const [before, after] = await release({ '@chaos/eventbus': 'minor' })
    expect(after).toEqual({ ...before, '@chaos/eventbus': raised(before['@chaos/eventbus'], 'minor') })
  })

  it('of a minor of core bumps no injector to a major, and to nothing at all where its range still fits', async () => {
    const [before, after] = await release({ '@chaos/core': 'minor' })
    expect(after).toEqual({ ...before, '@chaos/core': raised(before['@chaos/core'], 'minor') })
  })

  it('of core and an injector together bumps both by what each needs', async () => {
    const [before, after] = await release({ '@chaos/core': 'patch', '@chaos/worker': 'minor' })
    expect(after).toEqual({
      ...before,
      '@chaos/core': raised(before['@chaos/core'], 'patch'),
      '@chaos/worker': raised(before['@chaos/worker'], 'minor'),
    })
  })
})
