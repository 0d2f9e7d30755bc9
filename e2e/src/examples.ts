import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, type Package } from './repository.js'

/** The fenced code blocks of a language in a Markdown file, in order. */
export function codeBlocks(file: string, language: string): readonly string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code = '']) => code)
}

/** An ES module as a CommonJS script: named imports become requires, and what awaits at the top runs in an async function. */
export function toCommonJs(code: string): string {
  const imports: string[] = []
  const body = code.replace(/^import (\{[^}]*\}) from '([^']+)'$/gm, (_line, names: string, from: string) => {
    imports.push(`const ${names.replace(/ as /g, ': ')} = require('${from}')`)
    return ''
  })
  if (/^import /m.test(body)) throw new Error(`Expected named imports only, got:\n${code}`)
  return `${imports.join('\n')}\nvoid (async () => {\n${body}\n})()\n`
}

/** An example of a page: a program, and what it prints. */
export interface Example {
  readonly code: string
  readonly output: string
}

/** The examples of a Markdown page: each `js` block that is directly followed by a `text` block, in order. */
export function pageExamples(markdown: string): readonly Example[] {
  return [...markdown.matchAll(/^```js\n((?:(?!```).*\n)*)```\n+```text\n((?:(?!```).*\n)*)```$/gm)].map(
    ([, code = '', output = '']) => ({ code, output }),
  )
}

/**
 * A folder for the examples of an injector, below this package.
 * Programs in it can import the packages of this repository, and the client libraries that the injector is tested with.
 */
export function exampleFolder(injector: Package): {
  readonly write: (name: string, code: string) => string
  readonly remove: () => void
} {
  const results = join(root, 'e2e', 'test-results')
  mkdirSync(results, { recursive: true })
  const folder = mkdtempSync(join(results, `examples-${injector.id}-`))
  symlinkSync(join(injector.dir, 'node_modules'), join(folder, 'node_modules'), 'junction')
  return {
    write: (name, code) => {
      const file = join(folder, name)
      writeFileSync(file, code)
      return file
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** The names of the faults that a package exports, from all of its entry points. */
export async function faultNames({ manifest }: Package): Promise<readonly string[]> {
  const entries = Object.keys(manifest.exports ?? {}).filter((entry) => !/^\.\/(register|package\.json)$/.test(entry))
  const modules = await Promise.all(
    entries.map((entry) => import(`${manifest.name}${entry.slice(1)}`) as Promise<Record<string, unknown>>),
  )
  const names = modules.flatMap((exported) => Object.values(exported).flatMap(nameOfFault))
  return [...new Set(names)].sort()
}

/** The name of the fault that a value makes; nothing where it makes none. */
function nameOfFault(value: unknown): readonly string[] {
  return typeof value === 'function' && 'catalog' in value ? [(value as Catalogued).catalog.name] : []
}

interface Catalogued {
  readonly catalog: { readonly name: string }
}
