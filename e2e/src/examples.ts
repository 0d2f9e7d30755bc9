import { readFileSync } from 'node:fs'

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
