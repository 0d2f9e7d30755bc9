import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { codeBlocks } from '../src/examples.js'
import { startNpmRegistry, type NpmRegistry } from '../src/npm-registry.js'
import { pnpmCommand } from '../src/pnpm.js'
import { copyEnv, copyRepository, raised, type ReleaseCopy, type Versions } from '../src/release-copy.js'
import { packageNamed, packages, readJson, root, type Manifest } from '../src/repository.js'
import { run, runOrThrow, type Ran } from '../src/run.js'

const INJECTOR = '@chaos/adapter'
const CORE = '@chaos/core'
const isWhole = process.env['CHAOS_SOAK'] === 'whole'
const CLIENTS = ['npm', 'pnpm', 'yarn'] as const

/** Yarn as most projects that are not on npm or pnpm have it; it is no dependency of this repository, so it is fetched once. */
const YARN = 'yarn@1.22.22'

/** Sends every request that leaves loopback to a port that nothing listens on: not even a mistake publishes anything. */
const ONLY_LOOPBACK = Object.fromEntries(
  ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => {
    const value = name === 'no_proxy' ? '127.0.0.1,localhost' : 'http://127.0.0.1:9'
    return [name, name.toUpperCase()].map((key) => [key, value])
  }),
)

let registry: NpmRegistry
let copy: ReleaseCopy
let folder: string
let env: NodeJS.ProcessEnv
let programs: Readonly<Record<(typeof CLIENTS)[number], string>>
let released: Versions

beforeAll(async () => {
  registry = await startNpmRegistry()
  copy = await copyRepository()
  folder = mkdtempSync(join(tmpdir(), 'chaos-installs-'))
  programs = { npm: 'npm', pnpm: await pnpmProgram(), yarn: await yarnProgram() }
  env = { ...copyEnv, ...ONLY_LOOPBACK, PATH: [dirname(programs.pnpm), process.env['PATH']].join(delimiter) }
  // Clients send packages of this scope here, and the token nowhere else.
  writeFileSync(
    join(copy.dir, '.npmrc'),
    `@chaos:registry=${registry.url}\n${registry.url.replace('http:', '')}:_authToken=${registry.token}\n`,
  )
  await runOrThrow(programs.pnpm, ['install', '--frozen-lockfile', '--prefer-offline'], { cwd: copy.dir, env: copyEnv })
  released = await copy.version()
  if (!isWhole) for (const { dir } of packages) cpSync(join(dir, 'dist'), inCopy(dir, 'dist'), { recursive: true })
})
afterAll(async () => {
  await registry.stop()
  copy.remove()
  rmSync(folder, { recursive: true, force: true })
})

const inCopy = (dir: string, ...parts: readonly string[]): string => join(copy.dir, relative(root, dir), ...parts)

/** Where the pnpm is that the repository works with. */
async function pnpmProgram(): Promise<string> {
  const [program, ...args] = pnpmCommand()
  const { stdout } = await runOrThrow(program, [...args, 'exec', 'node', '-p', 'process.env.npm_execpath'], {
    cwd: root,
  })
  return stdout.trim()
}

/** Yarn, kept beside the runtimes that `node-versions.ts` fetches. */
async function yarnProgram(): Promise<string> {
  const cache = join(root, 'node_modules', '.cache', 'chaos-yarn')
  const program = join(cache, 'node_modules', '.bin', 'yarn')
  if (!existsSync(program)) {
    mkdirSync(cache, { recursive: true })
    const flags = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', cache]
    await runOrThrow('npm', ['install', ...flags, YARN], { cwd: cache, timeoutMs: 240_000 })
  }
  return program
}

/** Publishes what is not published yet: by `npm run release`, or in the quick form by its last step, with the builds of the checkout. */
function publish(): Promise<Ran> {
  return isWhole
    ? runOrThrow('npm', ['run', 'release'], { cwd: copy.dir, env, timeoutMs: 20 * 60_000 })
    : runOrThrow(programs.pnpm, ['exec', 'changeset', 'publish'], { cwd: copy.dir, env })
}

/** How each client adds packages to a project, with caches that the test removes. */
function installation(client: (typeof CLIENTS)[number]): readonly string[] {
  const cache = join(folder, `${client}-cache`)
  switch (client) {
    case 'npm':
      return ['install', '--save-dev', '--no-audit', '--no-fund', '--cache', cache]
    case 'pnpm':
      // It takes no version that is younger than a day, unless told to.
      return [
        'add',
        '--save-dev',
        '--config.minimum-release-age=0',
        `--config.store-dir=${join(cache, 'store')}`,
        `--config.cache-dir=${join(cache, 'metadata')}`,
      ]
    case 'yarn':
      return ['add', '--dev', '--non-interactive', '--no-progress', '--cache-folder', cache]
  }
}

/** Installs the injector in a new project as its README says, and returns the project's folder. */
async function installed(client: (typeof CLIENTS)[number]): Promise<string> {
  const project = mkdtempSync(join(folder, `${client}-`))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'example', version: '1.0.0', private: true }))
  writeFileSync(join(project, '.npmrc'), `registry=${registry.url}\n`)
  writeFileSync(join(project, '.yarnrc'), `registry "${registry.url}"\n`)
  await runOrThrow(programs[client], [...installation(client), CORE, INJECTOR], { cwd: project, env })
  return project
}

/** Versions of the packages of this repository that a project has, by name. */
function versionsIn(project: string): Versions {
  return Object.fromEntries(
    readdirSync(join(project, 'node_modules/@chaos')).map((id) => [
      `@chaos/${id}`,
      (readJson(join(project, 'node_modules/@chaos', id, 'package.json')) as Manifest).version,
    ]),
  )
}

/** Where the core is that a package of a project loads. */
function coreOf(project: string, name?: string): string {
  const from = name === undefined ? project : realpathSync(join(project, 'node_modules', name))
  return realpathSync(createRequire(join(from, 'package.json')).resolve(`${CORE}/package.json`))
}

/** What a job of GitHub has besides: the workflow's own settings of publishing, and an endpoint that issues identity tokens. */
function workflowEnv(identityUrl: string): NodeJS.ProcessEnv {
  const workflow = readFileSync(join(root, '.github/workflows/release.yml'), 'utf8')
  const settings = [...workflow.matchAll(/^ +(p?npm_config_\w+): '?(\w+)'?$/gim)].map(([, name, value]) => [
    name,
    value,
  ])
  return {
    ...(Object.fromEntries(settings) as NodeJS.ProcessEnv),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    ACTIONS_ID_TOKEN_REQUEST_URL: `${identityUrl}?`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'a job of the test',
  }
}

describe('a rehearsed release', () => {
  it('asks for the identity that provenance is signed with, in the workflow, and publishes nothing without', async () => {
    const audiences: (string | null)[] = []
    const identity = createServer((request, response) => {
      audiences.push(new URL(request.url ?? '', registry.url).searchParams.get('audience'))
      response.end(JSON.stringify({ value: 'not.a.token' }))
    }).listen(0, '127.0.0.1')
    await once(identity, 'listening')
    onTestFinished(() => void identity.close())
    const url = `http://127.0.0.1:${(identity.address() as AddressInfo).port}/`
    const { exitCode } = await run(programs.pnpm, ['publish', '--no-git-checks'], {
      cwd: inCopy(packageNamed('core').dir),
      env: { ...env, ...workflowEnv(url) },
    })
    expect(exitCode).not.toBe(0)
    expect(audiences).toContain('sigstore')
    expect(registry.published()).toEqual([])
  })

  it('publishes every package in the versions that the changesets make, each with its change log', async () => {
    const { stdout } = await publish()
    expect(registry.published()).toEqual(
      Object.entries(released)
        .map((one) => one.join('@'))
        .sort(),
    )
    for (const [name, version] of Object.entries(released)) {
      expect(registry.tagsOf(name)).toEqual({ latest: version })
      // From these lines, the workflow makes the tags and the releases on GitHub.
      expect(stdout).toContain(`New tag:  ${name}@${version}`)
      const input = registry.tarballOf(name, version)
      const log = execFileSync('tar', ['-xzOf', '-', 'package/CHANGELOG.md'], { input, encoding: 'utf8' })
      expect(log).toContain(`# ${name}\n\n## ${version}\n`)
    }
  })

  it.each(CLIENTS)('is installed by %s, one injector with core and nothing else, and runs', async (client) => {
    const before = registry.requests.length
    const project = await installed(client)
    expect(versionsIn(project)).toEqual({ [INJECTOR]: released[INJECTOR], [CORE]: released[CORE] })
    expect(coreOf(project, INJECTOR)).toBe(coreOf(project))
    // npm also asks for what optional peers are, which nobody has published.
    const fetched = registry.requests.slice(before).filter((line) => line.endsWith('.tgz'))
    expect([...new Set(fetched)].sort()).toEqual(
      [INJECTOR, CORE].map((name) => `GET /${name}/-/${name.split('/')[1] ?? ''}-${released[name] ?? ''}.tgz`),
    )

    const [example = ''] = codeBlocks(join(packageNamed('adapter').dir, 'README.md'), 'js')
    writeFileSync(join(project, 'example.mjs'), example)
    const { stdout } = await runOrThrow(process.execPath, ['example.mjs'], { cwd: project, env })
    expect(stdout).toMatch(/^refused: .*ECONNREFUSED/)
  })

  it('of a fix of one injector publishes that one alone', async () => {
    const before = registry.published()
    const fixed = raised(released[INJECTOR], 'patch')
    copy.addChangeset({ [INJECTOR]: 'patch' }, 'A fix.')
    expect(await copy.version()).toEqual({ ...released, [INJECTOR]: fixed })
    await publish()
    expect(registry.published()).toEqual([...before, `${INJECTOR}@${fixed}`].sort())
    expect(registry.tagsOf(INJECTOR)).toEqual({ latest: fixed })
  })

  it.each(CLIENTS)(
    'of a fix of one injector is installed by %s with the core that was there before',
    async (client) => {
      const project = await installed(client)
      expect(versionsIn(project)).toEqual({ [INJECTOR]: raised(released[INJECTOR], 'patch'), [CORE]: released[CORE] })
      expect(coreOf(project, INJECTOR)).toBe(coreOf(project))
    },
  )
})
