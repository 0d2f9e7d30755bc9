import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isChaosError } from '@chaos/core'
import { expect, it, onTestFinished } from 'vitest'
import { connectOn } from './connect-on.js'

const METHODS = [
  'info',
  'targets',
  'faults',
  'injections',
  'inject',
  'check',
  'renew',
  'stop',
  'stopAll',
  'follow',
  'close',
]
/** A module whose controller answers each call with all calls so far. */
const controller = `
  class Controller {
    ${METHODS.map((name) => `async ${name}(...given) { this.calls.push(['${name}', ...given]); return this.calls }`).join('\n')}
    closed = Promise.resolve()
    constructor(url) { this.calls = [url] }
  }
  exports.connect = async (url) => new Controller(url)`

/** A package by its field `chaos` and its controller. */
type Package = readonly [chaos: unknown, code?: string]
const third: Package = [{ controller: './controller', schemes: ['third', 'third+tls'] }, controller]

/** An app that has these packages installed. */
function app(packages: Readonly<Record<string, Package>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-on-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  const names = Object.keys(packages)
  write('package.json', JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, '1'])) }))
  for (const [name, [chaos, code]] of Object.entries(packages)) {
    const exports = { './controller': './controller.cjs', './package.json': './package.json' }
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, chaos, exports }))
    if (code !== undefined) write(`node_modules/${name}/controller.cjs`, code)
  }
  return folder
}

/** Why connecting is refused. */
async function refusal(url: string, folder: string): Promise<{ readonly code: string; readonly message: string }> {
  const error: unknown = await connectOn(url, folder).catch((thrown: unknown) => thrown)
  if (!isChaosError(error)) throw new Error('Expected a ChaosError.', { cause: error })
  return { code: error.code, message: error.message }
}

it('connects by the package that names the scheme, and loads no other', async () => {
  const other: Package = [{ controller: './controller', schemes: ['other'] }, 'throw new Error("loaded")']
  const folder = app({ other, 'none-of-ours': [undefined], third })
  const connection = await connectOn('THIRD+tls://host/path?a=b', folder)
  expect(await connection.targets()).toEqual(['THIRD+tls://host/path?a=b', ['targets']])
  await connection.closed
})

it('passes each call on, without what only a process knows', async () => {
  const connection = await connectOn('third:x', app({ third }))
  await connection.info()
  await connection.faults()
  await connection.inject('t', 'f', { a: 1 }, { hold: 'connection', rate: 0.5 })
  await connection.inject('t', 'f')
  await connection.check('t', 'f', {}, { hold: 'connection', leaseMs: 1 })
  await connection.renew('id', 5)
  await connection.stop('id')
  await connection.stopAll()
  connection.follow(() => undefined)
  await connection.close()
  expect(await connection.injections()).toEqual([
    'third:x',
    ['info'],
    ['faults'],
    ['inject', 't', 'f', { a: 1 }, { rate: 0.5 }],
    ['inject', 't', 'f', undefined, {}],
    ['check', 't', 'f', {}, { leaseMs: 1 }],
    ['renew', 'id', 5],
    ['stop', 'id'],
    ['stopAll'],
    ['follow', expect.any(Function)],
    ['close'],
    ['injections'],
  ])
})

it('has no surprises, whatever a package does', async () => {
  const rude = `${controller}; const { connect } = exports; exports.connect = async (url) =>
    Object.assign(await connect(url), { closed: Promise.reject(new Error('rude')), info() { throw new Error('at once') } })`
  const connection = await connectOn('third:x', app({ third: [third[0], rude] }))
  await connection.closed
  await expect(connection.info()).rejects.toThrow('at once')
})

it.each([
  ['no scheme', 'localhost:6379', {}, 'No installed package connects to `localhost:`'],
  ['no URL', '127.0.0.1', {}, 'Expected `--on` to be a URL'],
  ['an empty URL', '', {}, 'Expected `--on` to be a URL'],
  ['a URL without end', `third:${'x'.repeat(5_000)}`, { third }, 'longer than 4096 characters'],
  [
    'a scheme of nobody',
    'kafka://h',
    { third, plain: [undefined] as const },
    'has 2 dependencies. Of these connect third (third:, third+tls:). Install one whose package.json has "kafka" in `chaos.schemes`',
  ],
  [
    'an app without such packages',
    'third://h',
    { plain: [{ register: './register' }] as const },
    'has 1 dependency. None of them connects to anything. Install one whose package.json has "third" in `chaos.schemes`',
  ],
  ['the URL of a process', 'https://h/chaos', { third }, 'For the control endpoint of a process, use `--url`.'],
  [
    'a scheme of two',
    'third://h',
    { third, twin: third },
    'Several installed packages connect to `third:`: `third`, `twin`. Remove all but one',
  ],
  [
    'a package that cannot be loaded',
    'third://h',
    { third: [third[0], 'throw new Error("not today")'] as const },
    'third/controller cannot be loaded: not today',
  ],
  [
    'a package that throws no error',
    'third://h',
    { third: [third[0], 'throw null'] as const },
    'third/controller cannot be loaded: null',
  ],
  [
    'a package without its entry',
    'third://h',
    { third: [third[0]] as const },
    'third/controller cannot be loaded: Cannot find module',
  ],
  [
    'an entry that is not exported',
    'third://h',
    { third: [{ controller: './other', schemes: ['third'] }] as const },
    "third/other cannot be loaded: Package subpath './other' is not defined",
  ],
  [
    'a package without `connect`',
    'third://h',
    { third: [third[0], ''] as const },
    'third/controller must export a function `connect`, but exports undefined',
  ],
  [
    'a package that exports nothing',
    'third://h',
    { third: [third[0], 'module.exports = undefined'] as const },
    'must export a function `connect`',
  ],
  [
    'a `connect` that resolves to nothing',
    'third://h',
    { third: [third[0], 'exports.connect = () => undefined'] as const },
    'must resolve to a `ConnectedController`, but it has no `info`',
  ],
  [
    'a controller that is not whole',
    'third://h',
    {
      third: [
        third[0],
        `${controller}; const { connect } = exports; exports.connect = async (url) => Object.assign(await connect(url), { closed: true, stop: 1 })`,
      ] as const,
    },
    'but it has no `stop`, `closed`',
  ],
] as const)('refuses %s', async (_what, url, packages, why) => {
  expect(await refusal(url, app(packages))).toEqual({
    code: 'CHAOS_INVALID_OPTION',
    message: expect.stringContaining(why) as string,
  })
})

it.each([
  ['no object', ['redis']],
  ['an entry outside of the package', { controller: '../other/controller', schemes: ['third'] }],
  ['no list of schemes', { controller: './controller', schemes: 'third' }],
  ['schemes that are none', { controller: './controller', schemes: [{}, 7, 'no scheme', 'Third', '', 'third:'] }],
  [
    'more schemes than anybody needs',
    { controller: './controller', schemes: [...Array.from({ length: 50 }, () => 'x'), 'third'] },
  ],
])('does not take a package whose field has %s', async (_what, chaos) => {
  expect((await refusal('third://h', app({ odd: [chaos, controller] }))).message).toContain(
    'No installed package connects to `third:`',
  )
})

it('says where it looked when there is no app, or none that can be read', async () => {
  const folder = app({ third })
  writeFileSync(join(folder, 'package.json'), '{')
  expect((await refusal('third://h', folder)).message).toMatch(
    /^The installed packages cannot be read: .*package\.json is not JSON/,
  )
})

it('shows no URL, and keeps the code of an error', async () => {
  const url = 'third://me:hunter2@host'
  const own = `exports.connect = () => { throw new Error('never') }`
  expect(await refusal(url, app({ third: [third[0], own] }))).toEqual({
    code: 'CHAOS_ENDPOINT_UNREACHABLE',
    message: 'third/controller could not connect: never',
  })
  const inner = `const { ChaosError } = require(${JSON.stringify(new URL('../../../core/dist/index.cjs', import.meta.url).pathname)})
    exports.connect = async () => { throw new ChaosError('CHAOS_UNAUTHORIZED', 'not you') }`
  expect(await refusal(url, app({ third: [third[0], inner] }))).toEqual({
    code: 'CHAOS_UNAUTHORIZED',
    message: 'not you',
  })
  for (const packages of [{}, { third: [third[0], ''] as const }, { third, twin: third }])
    expect((await refusal(url, app(packages))).message).not.toContain('hunter2')
})
