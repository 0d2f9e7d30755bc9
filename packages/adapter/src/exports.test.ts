import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { callFaults, dnsFaults, fileFaults, httpFaults, netFaults, tlsFaults } from './faults.js'

const at = (path: string): URL => new URL(path, import.meta.url)
const load = async (path: string): Promise<Readonly<Record<string, unknown>>> =>
  (await import(at(path).href)) as Readonly<Record<string, unknown>>

it.each([
  ['calls', callFaults, ['breakable', 'errorPresetNames']],
  ['dns', dnsFaults, []],
  ['files', fileFaults, []],
  ['http', httpFaults, ['httpScopes']],
  ['net', netFaults, []],
  ['observe', [], ['observeCalls', 'retryChecks']],
  ['tls', tlsFaults, []],
] as const)('exports from %s its faults, and these names beside them', async (folder, faults, others) => {
  const exported = await load(`./${folder}/index.ts`)
  const isFault = (value: unknown): boolean => (faults as readonly unknown[]).includes(value)
  expect(Object.keys(exported).filter((name) => !isFault(exported[name]))).toEqual(others)
  expect(Object.values(exported)).toEqual(expect.arrayContaining([...faults]))
})

// A folder without an entry holds what two drivers share.
const drivers = readdirSync(at('./drivers/')).filter((name) => existsSync(at(`./drivers/${name}/index.ts`)))

it.each(drivers)('exports from %s the bindings that its driver.json describes, and nothing else', async (name) => {
  const { bindings } = JSON.parse(readFileSync(at(`./drivers/${name}/driver.json`), 'utf8')) as {
    readonly bindings: readonly { readonly binding: string }[]
  }
  const described = bindings.flatMap(({ binding }) => binding.match(/\bbind\w+(?=\()/g) ?? [])
  expect(Object.keys(await load(`./drivers/${name}/index.ts`)).sort()).toEqual(described.sort())
})
