// The one entry point of a clone: `npm run …` comes here, and everything else (pnpm, the install, the builds) follows from it.
// npx fetches the pnpm that `packageManager` names, pnpm installs what the lockfile says where it has not yet, turbo builds and runs in order.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { folders, root, scriptsOf } from './workspace.mjs'

const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const [command = 'test', ...args] = process.argv.slice(2)

const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(config|package|lifecycle)_/i.test(name)),
)
env.TURBO_TELEMETRY_DISABLED = '1'
env.DO_NOT_TRACK = '1'
delete env.CHAOS_PNPM

async function run(program, programArgs, extraEnv = {}) {
  const child = spawn(program, programArgs, {
    cwd: root,
    stdio: 'inherit',
    env: { ...env, ...extraEnv },
    shell: process.platform === 'win32',
  })
  const [status] = await once(child, 'exit')
  return status ?? 1
}
const pnpm = (pnpmArgs, extraEnv) => run('pnpm', pnpmArgs, extraEnv)
const turbo = (...turboArgs) => pnpm(['exec', 'turbo', 'run', ...turboArgs])
const install = () => pnpm(['install', '--frozen-lockfile', '--prefer-offline'])

/** Runs the steps one after another, stopping at the first that fails. */
async function inOrder(...steps) {
  for (const step of steps) {
    const status = await step()
    if (status !== 0) return status
  }
  return 0
}

/** Runs the steps at the same time, and waits for all of them. */
async function atOnce(...steps) {
  const statuses = await Promise.all(steps.map((step) => step()))
  return statuses.find((status) => status !== 0) ?? 0
}

/** Old results must not be counted for a suite that no longer runs. */
function forgetResults() {
  for (const folder of folders) rmSync(join(root, folder, 'test-results'), { recursive: true, force: true })
  return 0
}

/** The longest that the quick form of a soak takes, in seconds. */
const QUICK_S = 60

/** What takes too long for every commit: scripts `soak:<name>` of packages. Several packages may share a name. */
const soaks = folders.flatMap((folder) =>
  Object.keys(scriptsOf(folder))
    .filter((script) => script.startsWith('soak:'))
    .map((script) => ({ name: script.slice('soak:'.length), folder, script })),
)
const soakNames = [...new Set(soaks.map(({ name }) => name))]
/** Parts of one soak have its name and a number: `sabotage` is all of `sabotage-1`, `sabotage-2` and so on. */
const isAsked = (soak, name) => soak.name === name || soak.name.replace(/-\d+$/, '') === name

/** `[names] [--quick] [flags of the soak's own]` */
function soak() {
  const first = args.findIndex((arg) => arg.startsWith('-'))
  const [asked, flags] = first === -1 ? [args, []] : [args.slice(0, first), args.slice(first)]
  const isQuick = flags.includes('--quick')
  const own = flags.filter((flag) => flag !== '--quick')
  const unknown = asked.find((name) => !soaks.some((one) => isAsked(one, name)))
  if (unknown !== undefined) {
    console.error(`Unknown soak "${unknown}". Expected one of ${soakNames.join(', ')}.`)
    return 2
  }
  const chosen = soaks.filter((one) => asked.length === 0 || asked.some((name) => isAsked(one, name)))
  return inOrder(
    () => turbo('build', '--output-logs=new-only'),
    ...chosen.map(({ name, folder, script }) => async () => {
      console.log(`soak ${name} (${folder})${isQuick ? ', the quick form' : ''}`)
      const startedAt = performance.now()
      const status = await pnpm(['--dir', folder, 'run', script, ...own], { CHAOS_SOAK: isQuick ? 'quick' : 'whole' })
      const tookS = Math.round((performance.now() - startedAt) / 1_000)
      console.log(`soak ${name} (${folder}): ${status === 0 ? 'passed' : 'failed'} after ${tookS} s`)
      if (isQuick && tookS > QUICK_S) console.log(`Its quick form is meant to take at most ${QUICK_S} s.`)
      return status
    }),
  )
}

const quietly = ['--output-logs=new-only', '--log-prefix=none']
const own = args.length > 0 ? ['--', ...args] : []

const commands = {
  demo: () => turbo('demo', ...quietly, ...own),
  // What runs in real time comes last and alone, because a loaded machine pushes a 100 Hz loop below its objective.
  test: () =>
    inOrder(
      forgetResults,
      // Alone, so that no suite takes the place of a build which the longest suites wait for.
      () => turbo('build', '--concurrency=4', '--output-logs=errors-only'),
      // The longest suite begins at once: turbo would leave it to the end, where it would have the machine to itself. Builds are done,
      // so that no suite waits for them (`--only`).
      () =>
        atOnce(
          () => turbo('test', '--filter=@chaos/e2e', '--only', '--output-logs=new-only'),
          () =>
            turbo(
              '//#check:types',
              '//#check:sync',
              '//#check:format',
              'test',
              '--filter=!@chaos/e2e',
              '--only',
              '--concurrency=3',
              '--output-logs=new-only',
            ),
        ),
      () => turbo('e2e', '--concurrency=1', '--output-logs=new-only'),
      () => run(process.execPath, [join(root, 'scripts', 'totals.mjs')]),
    ),
  turbo: () => turbo(...args),
  sync: () => run(process.execPath, [join(root, 'scripts', 'sync.mjs'), ...args]),
  // A binding of another library changes what is installed, and with that the lockfile.
  new: () =>
    inOrder(
      () => run(process.execPath, [join(root, 'scripts', 'new.mjs'), ...args]),
      () => pnpm(['install', '--no-frozen-lockfile', '--prefer-offline']),
    ),
  bench: () => turbo('bench', ...quietly, ...own),
  'bench:check': () => turbo('bench:check', ...quietly, ...own),
  soak,
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
// Needs nothing installed: what a workflow makes its jobs of.
if (command === 'soak' && args[0] === '--list') {
  console.log(JSON.stringify(soakNames))
  process.exit(0)
}
// npx takes seconds to find pnpm, so it does that once: this program runs again with that pnpm on its PATH.
process.exit(
  await (process.env.CHAOS_PNPM === packageManager
    ? inOrder(install, commands[command])
    : run(
        'npx',
        ['-y', '--prefer-offline', `--package=${packageManager}`, '--', 'node', 'scripts/dev.mjs', command, ...args],
        { CHAOS_PNPM: packageManager },
      )),
)
