// Writes the skeleton of a fault, a client, a driver, a probe or an injector, which passes the suites as it stands; then runs sync.
// npm run new -- fault eventbus/drop-something
// With --no-sync it writes the skeleton and nothing else.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { camelCase, pascalCase, root } from './sync/tree.mjs'
import { KINDS } from './new/kinds.mjs'

const TEMPLATES = fileURLToPath(new URL('./new/templates', import.meta.url))
/** Lower-case words of letters and digits. */
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
/** A range that names the lowest version whole, since the tests run with it. */
const RANGE = /^\^\d+\.\d+\.\d+(?: \|\| \^\d+\.\d+\.\d+)*$/

class Refusal extends Error {}

/** The name of a package on npm. */
const LIBRARY = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

/** Words of JavaScript that name no variable, export or type. */
const RESERVED = new Set(
  'await break case catch class const continue debugger default delete do else enum export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield'.split(
    ' ',
  ),
)

const withArticle = (kind) => `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
const quoted = (names) => names.map((name) => `"${name}"`).join(', ')

/** What the arguments ask for. @throws Refusal before anything is written */
function asked([kind = '', path = '', library, range]) {
  if (!Object.hasOwn(KINDS, kind))
    throw new Refusal(`Unknown kind "${kind}". Expected one of ${quoted(Object.keys(KINDS))}.`)
  const { where: places, bindsLibrary = false, files } = KINDS[kind]
  const parts = path.split('/')
  const name = parts.pop() ?? ''
  const where = parts.join('/')
  const forms = (places ?? ['<package>']).map((place) => `${place}/<name>`)
  if (places === undefined ? !NAME.test(where) : !places.includes(where))
    throw new Refusal(`Unknown place "${path}" for ${withArticle(kind)}. Expected ${forms.join(', ')}.`)
  if (!NAME.test(name))
    throw new Refusal(`Invalid name "${name}" for ${withArticle(kind)}. Expected words in lower case: drop-events.`)
  if (RESERVED.has(name))
    throw new Refusal(`Invalid name "${name}" for ${withArticle(kind)}. It is a reserved word of JavaScript.`)
  if (bindsLibrary && readdirSync(join(root, 'packages', where, 'src')).some((entry) => entry.split('.')[0] === name))
    throw new Refusal(
      `Invalid name "${name}" for ${withArticle(kind)}. @chaos/${where} has a part of that name already. Name it after its library.`,
    )
  if (kind === 'fault' && !name.includes('-'))
    throw new Refusal(`Invalid name "${name}" for a fault. Expected a verb and an object: drop-events.`)
  if (bindsLibrary && (library === undefined || !RANGE.test(range ?? '')))
    throw new Refusal(
      `A ${kind} binds a library. Expected its name and its range after the name of the ${kind}: npm run new -- ${kind} ${where}/${name} <library> '^1.2.0'.`,
    )
  if (bindsLibrary && !LIBRARY.test(library))
    throw new Refusal(
      `Invalid name ${JSON.stringify(library)} of a library. Expected the name of a package: @scope/name.`,
    )
  const names = { where, name, camel: camelCase(name), pascal: pascalCase(name) }
  const values = { ...names, package: where.split('/')[0], Pascal: names.pascal, library, range }
  return { kind, values, files: files(names) }
}

function textOf({ template, copy, values: own = {} }, values) {
  if (copy !== undefined) return readFileSync(join(root, copy), 'utf8')
  const all = { ...values, ...own }
  return readFileSync(join(TEMPLATES, `${template}.template`), 'utf8').replace(/__(\w+?)__/g, (mark, key) => {
    if (all[key] === undefined) throw new Error(`The template ${template} has the unknown mark ${mark}.`)
    return all[key]
  })
}

async function written(path, text) {
  // Loaded when something is written: a refusal comes at once.
  const { formatted } = await import('./format.mjs')
  return /\.(ts|md|json)$/.test(path) ? formatted(path, text) : text
}

const sync = () => spawnSync(process.execPath, [join(root, 'scripts', 'sync.mjs')], { stdio: 'inherit' }).status ?? 1

try {
  const args = process.argv.slice(2)
  const { kind, values, files } = asked(args.filter((arg) => arg !== '--no-sync'))
  const taken = files.filter(({ path }) => existsSync(join(root, path)))
  if (taken.length > 0) throw new Refusal(`There is already ${taken.map(({ path }) => path).join(', ')}.`)
  const texts = await Promise.all(
    files.map(async (file) => [file.path, await written(file.path, textOf(file, values))]),
  )
  for (const [path, text] of texts) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  console.log(`The ${kind} is in\n${texts.map(([path]) => `  ${path}`).join('\n')}`)
  if (!args.includes('--no-sync')) process.exitCode = sync()
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exitCode = 2
}
