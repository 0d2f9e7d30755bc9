// The one entry point of a clone: `npm run …` comes here, and everything else (pnpm, the install, the builds) follows from it.
// npx fetches the pnpm that `packageManager` names, pnpm installs what the lockfile says, turbo builds and runs in order.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const [command = 'test', ...args] = process.argv.slice(2)

const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(config|package|lifecycle)_/i.test(name)),
)
env.TURBO_TELEMETRY_DISABLED = '1'
env.DO_NOT_TRACK = '1'

function run(program, programArgs, extraEnv = {}) {
  const { status, error } = spawnSync(program, programArgs, {
    cwd: root,
    stdio: 'inherit',
    env: { ...env, ...extraEnv },
    shell: process.platform === 'win32',
  })
  if (error) throw error
  return status ?? 1
}
const pnpm = (pnpmArgs, extraEnv) => run('npx', ['-y', '--prefer-offline', packageManager, ...pnpmArgs], extraEnv)
const turbo = (...turboArgs) => pnpm(['exec', 'turbo', 'run', ...turboArgs])

/** What an install depends on; when it is unchanged since the last one, nothing is installed again. */
function installKey() {
  const hash = createHash('sha256')
  const manifests = [
    '.',
    'e2e',
    'bench',
    'mini-prometheus',
    'test-servers',
    ...['packages', 'apps'].flatMap((dir) => readdirSync(join(root, dir)).map((name) => join(dir, name))),
  ]
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests.map((dir) => join(dir, 'package.json'))]) {
    const path = join(root, file)
    if (existsSync(path)) hash.update(file).update(readFileSync(path))
  }
  return hash.digest('hex')
}

function install() {
  const stamp = join(root, 'node_modules', '.chaos-install')
  const key = installKey()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return 0
  const status = pnpm(['install', '--frozen-lockfile', '--prefer-offline'])
  if (status === 0) {
    mkdirSync(join(root, 'node_modules'), { recursive: true })
    writeFileSync(stamp, key)
  }
  return status
}

/** Runs the steps one after another, stopping at the first that fails. */
const inOrder = (...steps) => steps.reduce((status, step) => (status === 0 ? step() : status), 0)

/** Old results must not be counted for a suite that no longer runs. */
function forgetResults() {
  for (const dir of ['packages', 'apps']
    .flatMap((top) => readdirSync(join(root, top)).map((name) => join(top, name)))
    .concat('e2e', 'bench', 'mini-prometheus', 'test-servers')) {
    rmSync(join(root, dir, 'test-results'), { recursive: true, force: true })
  }
  return 0
}

/** Soaks by name: those that were asked for, or all. */
function soaks(asked) {
  const { tasks } = JSON.parse(readFileSync(join(root, 'turbo.json'), 'utf8'))
  const known = Object.keys(tasks)
    .filter((task) => task.startsWith('soak:'))
    .map((task) => task.slice('soak:'.length))
  const unknown = asked.find((name) => !known.includes(name))
  if (unknown === undefined) return asked.length > 0 ? asked : known
  console.error(`Unknown soak "${unknown}". Expected one of ${known.join(', ')}.`)
  process.exit(2)
}

const commands = {
  demo: () => turbo('demo', '--output-logs=new-only', '--log-prefix=none', ...(args.length > 0 ? ['--', ...args] : [])),
  // Unit suites first; then the end-to-end suites alone, because a loaded machine pushes a 100 Hz loop below its objective.
  test: () =>
    inOrder(
      forgetResults,
      () => turbo('typecheck', 'lint', 'test', '--concurrency=100%', '--output-logs=new-only'),
      () => turbo('e2e', '--concurrency=1', '--output-logs=new-only'),
      () => run(process.execPath, [join(root, 'scripts', 'totals.mjs')]),
    ),
  e2e: () => turbo('e2e', '--concurrency=1', ...args),
  turbo: () => turbo(...args),
  bench: () =>
    turbo('bench', '--output-logs=new-only', '--log-prefix=none', ...(args.length > 0 ? ['--', ...args] : [])),
  'bench:check': () =>
    turbo('bench:check', '--output-logs=new-only', '--log-prefix=none', ...(args.length > 0 ? ['--', ...args] : [])),
  // What takes too long for every commit: a package's script `soak:<name>`, and a task of that name in turbo.json. Flags after the name are its own.
  soak: () => {
    const first = args.findIndex((arg) => arg.startsWith('-'))
    const [asked, flags] = first === -1 ? [args, []] : [args.slice(0, first), args.slice(first)]
    return inOrder(
      ...soaks(asked).map(
        (name) => () =>
          turbo(
            `soak:${name}`,
            '--concurrency=1',
            '--output-logs=new-only',
            '--log-prefix=none',
            ...(flags.length > 0 ? ['--', ...flags] : []),
          ),
      ),
    )
  },
  exec: () => pnpm(['exec', ...args]),
  release: () =>
    inOrder(
      () => turbo('build'),
      () => pnpm(['exec', 'changeset', 'publish']),
    ),
}

if (!Object.hasOwn(commands, command)) {
  console.error(`Expected one of ${Object.keys(commands).join(', ')}, got \`${command}\`.`)
  process.exit(2)
}
process.exit(inOrder(install, commands[command]))
