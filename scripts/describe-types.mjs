// Writes the description of each option of a fault into the declarations of a built package, so that an editor shows it on hover.
// TypeScript infers the options of `defineFault` from what `option` returns, and has no way to carry a description there.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

const dist = join(process.cwd(), 'dist')
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.import.default]))

/** The options of each fault that the package exports, by the name of the fault. */
const faults = new Map()
for (const entry of entries.filter((path) => !path.includes('register'))) {
  for (const exported of Object.values(await import(pathToFileURL(join(process.cwd(), entry)).href))) {
    const catalog = typeof exported === 'function' ? exported.catalog : undefined
    if (catalog !== undefined) faults.set(catalog.name, new Map(catalog.options.map((one) => [one.name, one])))
  }
}

/** `FaultFactory<"eventbus/delay-events", Bus, { … }>`: its name and the members of its options. */
function optionsOf(node) {
  if (!ts.isTypeReferenceNode(node) || !/\bFaultFactory$/.test(node.typeName.getText())) return undefined
  const [name, , options] = node.typeArguments ?? []
  if (name === undefined || !ts.isLiteralTypeNode(name) || !ts.isStringLiteral(name.literal)) return undefined
  return options !== undefined && ts.isTypeLiteralNode(options) ? [name.literal.text, options.members] : undefined
}

function described(text) {
  const source = ts.createSourceFile('types.d.ts', text, ts.ScriptTarget.Latest, true)
  const inserts = []
  const visit = (node) => {
    const [name, members = []] = optionsOf(node) ?? []
    for (const member of members) {
      const option = faults.get(name)?.get(member.name?.getText())
      if (option === undefined || option.description === '' || ts.getJSDocCommentsAndTags(member).length > 0) continue
      const fallback = option.default === undefined ? '' : ` Default \`${JSON.stringify(option.default)}\`.`
      inserts.push([member.getStart(), `/** ${(option.description + fallback).replaceAll('*/', '* /')} */\n    `])
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return inserts.reduceRight((result, [at, comment]) => result.slice(0, at) + comment + result.slice(at), text)
}

for (const file of readdirSync(dist).filter((name) => /\.d\.c?ts$/.test(name))) {
  const path = join(dist, file)
  const text = readFileSync(path, 'utf8')
  const next = described(text)
  if (next !== text) writeFileSync(path, next)
}
