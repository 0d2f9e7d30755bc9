import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

// A folder without an entry holds what two libraries share.
const clients = readdirSync(new URL('.', import.meta.url)).filter((name) =>
  existsSync(new URL(`./${name}/index.ts`, import.meta.url)),
)

it.each(clients)('exports from %s the bindings that its client.json describes, and nothing else', async (name) => {
  const { bindings } = JSON.parse(readFileSync(new URL(`./${name}/client.json`, import.meta.url), 'utf8')) as {
    readonly bindings: readonly { readonly 'what it binds': string }[]
  }
  const described = bindings.flatMap((binding) => binding['what it binds'].match(/\bbind\w+(?=\()/g) ?? [])
  const exported = (await import(new URL(`./${name}/index.ts`, import.meta.url).href)) as object
  expect(Object.keys(exported).sort()).toEqual(described.sort())
})
