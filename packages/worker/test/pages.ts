import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The JavaScript examples of a page of the docs, in order. */
export const examplesOf = (page: string): readonly string[] =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code)

/** A folder in which files can import this package by its name. Remove it when done. */
export function exampleFolder(): {
  readonly write: (name: string, code: string) => string
  readonly remove: () => void
} {
  const results = fileURLToPath(new URL('../test-results/', import.meta.url))
  mkdirSync(results, { recursive: true })
  const folder = mkdtempSync(join(results, 'example-'))
  return {
    write(name, code) {
      const file = join(folder, name)
      writeFileSync(file, code)
      return file
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
