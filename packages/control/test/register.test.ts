import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connect, discover } from '../src/index.js'
import { privateFolder } from './support.js'

const dist = (file: string): string => fileURLToPath(new URL(`../dist/${file}`, import.meta.url))
const core = (entry: string): string => fileURLToPath(new URL(`../../core/dist/${entry}.cjs`, import.meta.url))

/** A third party's injector: it breaks `Math.max`, and says when it was asked. */
const INJECTOR = `
  const { target } = require(${JSON.stringify(core('index'))})
  const { defineFault } = require(${JSON.stringify(core('authoring'))})
  const wrongMax = defineFault({
    name: 'third/wrong-max', kind: 'standing', summary: 'Is wrong.', target: { expects: 'Math', accepts: (value) => value === Math },
    inject: (math, _options, context) => context.patch(math, 'max', (below) => (...args) => context.operation('max').shouldInject(args) ? -1 : below.call(...args)),
  })
  exports.targets = () => {
    globalThis.registered = true
    return { math: target(Math, [wrongMax]) }
  }`

/** An app without chaos code, with the injectors that it has installed: their files by name. */
function app(code: string, injectors: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const folder = privateFolder()
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  write(
    'package.json',
    JSON.stringify({
      devDependencies: Object.fromEntries([...Object.keys(injectors), 'not-installed'].map((name) => [name, '*'])),
    }),
  )
  write('app.js', code)
  for (const [name, files] of Object.entries(injectors)) {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true })
    for (const [file, text] of Object.entries(files)) write(join('node_modules', name, file), text)
  }
  return folder
}
const manifest = (more: object = {}): string =>
  JSON.stringify({
    version: '1.0.0',
    chaos: { register: './register' },
    exports: { './register': './register.cjs', './package.json': './package.json' },
    ...more,
  })
const third = { 'package.json': manifest(), 'register.cjs': INJECTOR }

/** Runs the app with the preload. */
function run(
  folder: string,
  {
    env = {},
    flags = ['--require', dist('register.cjs')],
  }: { readonly env?: NodeJS.ProcessEnv; readonly flags?: readonly string[] } = {},
) {
  const sockets = join(folder, 's')
  const child = spawn(process.execPath, [...flags, 'app.js'], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'test', CHAOS_SOCKET_DIR: sockets, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  const exited = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const client = async () => {
    const found = await vi.waitFor(async () => {
      const [one] = await discover({ directory: sockets })
      if (one === undefined) throw new Error(`Expected a socket, got none: ${said.err}`)
      return one
    })
    const connected = await connect({ socketPath: found.socketPath })
    onTestFinished(() => connected.close())
    return connected
  }
  return { child, said, exited, client, sockets }
}

/** Says on each line of input what `Math.max(1, 2)` is; ends with its input. */
const ASKED =
  'process.stdin.on("data", () => console.log(Math.max(1, 2))).on("end", () => process.exit()); console.log("up", globalThis.registered === true)'

describe.each([
  ['--require', () => ['--require', dist('register.cjs')]],
  ['--import', () => ['--import', new URL('../dist/register.js', import.meta.url).href]],
])('register, by %s', (_way, flags) => {
  it('opens a socket in an app without chaos code, with what the installed injectors offer', async () => {
    const { child, said, client, exited } = run(app(ASKED, { third, 'no-injector': { 'package.json': '{}' } }), {
      flags: flags(),
    })
    const control = await client()
    // The socket may be there before the app has said a word.
    await vi.waitFor(() => expect(said.out, 'injectors are there before the app').toBe('up true\n'))
    expect(await control.targets()).toEqual([{ name: 'math', faults: ['third/wrong-max'] }])
    await control.inject('math', 'wrong-max', {}, { limit: 1 })
    child.stdin.write('?')
    await vi.waitFor(() => expect(said.out).toBe('up true\n-1\n'))
    child.stdin.write('?')
    await vi.waitFor(() => expect(said.out).toBe('up true\n-1\n2\n'))
    child.stdin.end()
    expect(await exited).toMatchObject({ code: 0, err: '' })
  })
})

describe('register', () => {
  it('offers the faults of each injector on the targets of all that accept them', async () => {
    const faultsOnly = {
      'package.json': manifest(),
      'register.cjs': INJECTOR.replaceAll('third/wrong-max', 'other/wrong-max').replace(
        /exports\.targets[\s\S]*/,
        'exports.targets = () => ({})\nexports.faults = [wrongMax]',
      ),
    }
    const targetsOnly = {
      'package.json': manifest(),
      'register.cjs': `const { target } = require(${JSON.stringify(core('index'))})
        exports.targets = () => ({ json: target(JSON, []) })`,
    }
    const { client } = run(app(ASKED, { faultsOnly, targetsOnly, third }))
    expect(await (await client()).targets()).toEqual([
      { name: 'json', faults: [] },
      { name: 'math', faults: ['third/wrong-max', 'other/wrong-max'] },
    ])
  })

  it('takes injectors that are ES modules, and says which one cannot be used', async () => {
    const esm = {
      'package.json': manifest({
        type: 'module',
        exports: { './register': './register.js', './package.json': './package.json' },
      }),
      'register.js': 'await 0\nexport const targets = () => ({ late: { object: {}, faults: [] } })',
    }
    const { said, client } = run(
      app(ASKED, {
        broken: { 'package.json': manifest(), 'register.cjs': 'throw new Error("not today")' },
        silent: { 'package.json': manifest(), 'register.cjs': '' },
        esm,
        third,
        twin: third,
      }),
    )
    expect(await (await client()).targets()).toEqual([
      { name: 'math', faults: ['third/wrong-max'] },
      { name: 'late', faults: [] },
    ])
    await vi.waitFor(() =>
      expect(said.err.trimEnd().split('\n')).toEqual([
        'chaos: broken could not register its targets: not today',
        'chaos: silent could not register its targets: silent/register must export a function `targets`, but exports undefined.',
        expect.stringMatching(/^chaos: twin could not register its targets: The target name "math" is taken/),
      ]),
    )
  })

  it.each([
    ['production', { NODE_ENV: 'production' }, 'Faults are not injected in the environment'],
    ['an environment that nobody named', { NODE_ENV: '' }, 'No environment is set'],
    ['an environment that is not allowed', { NODE_ENV: 'staging' }, 'Expected the environment to be one of'],
    ['a process where chaos is switched off', { CHAOS_DISABLED: '1' }, 'Chaos is switched off'],
  ])('opens and loads nothing in %s; the app does not notice', async (_where, env, words) => {
    const { exited, sockets } = run(app('console.log("up", globalThis.registered === true)', { third }), { env })
    expect(await exited).toEqual({
      code: 0,
      out: 'up false\n',
      err: expect.stringContaining(`chaos: no control socket was opened: ${words}`) as string,
    })
    expect(await discover({ directory: sockets })).toEqual([])
  })

  it('opens although an injector throws what cannot be read, at once or later', async () => {
    const late = '(({ proxy, revoke }) => (revoke(), proxy))(Proxy.revocable({}, {}))'
    const { client, said } = run(
      app(ASKED, {
        broken: { 'package.json': manifest(), 'register.cjs': 'exports.targets = () => { throw Object.create(null) }' },
        later: { 'package.json': manifest(), 'register.cjs': `exports.targets = () => Promise.reject(${late})` },
        third,
      }),
    )
    expect(await (await client()).targets()).toMatchObject([{ name: 'math' }])
    await vi.waitFor(() =>
      expect(said.err.trimEnd().split('\n')).toEqual([
        'chaos: broken could not register its targets: an object',
        'chaos: later could not register its targets: an unreadable value',
      ]),
    )
  })

  it('opens where the environment is allowed by name', async () => {
    const { client } = run(app(ASKED, { third }), { env: { NODE_ENV: 'staging', CHAOS_ALLOW_ENVIRONMENT: 'staging' } })
    expect(await (await client()).info()).toMatchObject({ environment: 'staging', refusal: undefined })
  })

  it('opens one socket however often it is preloaded, and none for a worker thread', async () => {
    const code = `const { Worker } = require('node:worker_threads'); new Worker('setTimeout(() => undefined, 0)', { eval: true }).on('exit', () => { console.log('worker done'); ${ASKED} })`
    const { said, client, sockets } = run(app(code, { third }), {
      flags: ['--require', dist('register.cjs'), '--import', new URL('../dist/register.js', import.meta.url).href],
    })
    await client()
    await vi.waitFor(() => expect(said.out).toBe('worker done\nup true\n'))
    expect(await discover({ directory: sockets })).toHaveLength(1)
  })

  it('keeps no app alive that has nothing more to do', async () => {
    expect(await run(app('console.log("done")', { third })).exited).toEqual({ code: 0, out: 'done\n', err: '' })
  })
})
