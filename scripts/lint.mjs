// The errors of TypeScript, and the rules of eslint.config.js in a tenth of the time: oxlint has both, with TypeScript's native compiler.
// `.ci/run` lints with ESLint itself too (`npm run lint:eslint`), which also applies what is left to it here.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ESLint } from 'eslint'

const root = fileURLToPath(new URL('..', import.meta.url))
const config = join(root, 'node_modules', '.cache', 'oxlint', 'oxlintrc.json')

/** Left to ESLint: what oxlint does not have, and where it refuses what ESLint rightly lets pass. */
const LEFT_TO_ESLINT = new Set([
  'no-dupe-args',
  'no-octal',
  // It takes what is cast for what is read.
  'no-unsafe-optional-chaining',
  // It does not know that a private method is handed over together with its object.
  '@typescript-eslint/unbound-method',
])
/** Options that oxlint has to be given in another way. */
const OPTIONS = {
  'preserve-caught-error': [],
  // It refuses `promise.finally(() => another)`, which waits for the other.
  '@typescript-eslint/no-misused-promises': [{ checksVoidReturn: { arguments: false } }],
}

/** A file of each kind, by the patterns under which oxlint knows the kind. */
const KINDS = {
  '**/*.{js,mjs}': 'a.mjs',
  '**/*.cjs': 'a.cjs',
  '**/*.ts': 'a.ts',
  '**/*.{test,test-d}.ts': 'a.test.ts',
}

const eslint = new ESLint({ cwd: root })
const configs = await Promise.all(Object.values(KINDS).map((file) => eslint.calculateConfigForFile(join(root, file))))
const isOn = ([name, [severity]]) => severity > 0 && !LEFT_TO_ESLINT.has(name)
/** What is on for one kind of file has to be off by name for the others. */
const names = new Set(
  configs.flatMap(({ rules }) =>
    Object.entries(rules)
      .filter(isOn)
      .map(([name]) => name),
  ),
)

function rulesOf({ rules }) {
  // A rule of typescript-eslint that takes the place of one of ESLint's is the same rule to oxlint: the one that is on comes last.
  const settings = [...names].map((name) => {
    const [severity, ...options] = rules[name] ?? [0]
    const setting = severity === 0 ? 'off' : ['error', ...(OPTIONS[name] ?? options)]
    return [name.replace(/^@typescript-eslint\//, replaces(name) ? '' : 'typescript/'), setting]
  })
  return Object.fromEntries(settings.sort(([, one], [, other]) => (one === 'off' ? 0 : 1) - (other === 'off' ? 0 : 1)))
}
function replaces(name) {
  return names.has(name.replace('@typescript-eslint/', ''))
}

mkdirSync(dirname(config), { recursive: true })
writeFileSync(
  config,
  JSON.stringify({
    plugins: ['typescript'],
    categories: { correctness: 'off' },
    overrides: Object.keys(KINDS).map((pattern, index) => ({
      files: [pattern],
      globals: configs[index].languageOptions.globals ?? {},
      rules: rulesOf(configs[index]),
    })),
  }),
)

const oxlint = createRequire(import.meta.url).resolve('oxlint/package.json')
const { status, error } = spawnSync(
  process.execPath,
  [
    join(dirname(oxlint), 'bin', 'oxlint'),
    '--type-aware',
    // One program of the whole repository serves the rules and the compiler's errors.
    '--type-check',
    '--tsconfig',
    'tsconfig.json',
    '--config',
    relative(root, config),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
)
if (error) throw error
process.exitCode = status ?? 1
