import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { injectors, root } from '../../src/repository.js'

/** The names of all faults that a package exports, from all of its entry points. */
async function faultsOf(name: string, entries: readonly string[]): Promise<readonly string[]> {
  const modules = await Promise.all(
    entries.map(async (entry) => (await import(name + entry.slice(1))) as Record<string, unknown>),
  )
  return modules
    .flatMap((module) => Object.values(module))
    .flatMap((value) =>
      typeof value === 'function' && 'catalog' in value ? [(value.catalog as { readonly name: string }).name] : [],
    )
}

it.each(injectors.map(({ id, manifest }) => [id, manifest] as const))(
  'the page on choosing leads to every fault of @chaos/%s by a symptom',
  async (_id, { name, exports = {} }) => {
    const entries = Object.keys(exports).filter((entry) => entry !== './package.json' && entry !== './register')
    const faults = [...new Set(await faultsOf(name, entries))]
    expect(faults.length).toBeGreaterThan(0)
    const text = readFileSync(join(root, 'docs/choosing.md'), 'utf8')
    const bySymptom = text.slice(text.indexOf('## By symptom'), text.indexOf('## By dependency'))
    expect(faults.filter((fault) => !bySymptom.includes(`(faults/${fault}.md)`))).toEqual([])
  },
)
