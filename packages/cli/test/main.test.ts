import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, discover } from '@chaos/control'
import { ChaosError } from '@chaos/core'
import { hasScopeMember } from '@chaos/core/authoring'
import { EXIT_CODES } from '@chaos/experiment'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { EXIT, main, type Io } from '../src/index.js'

let folder: string
let app: ChildProcess
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-cli-'))
  app = spawn(process.execPath, [fileURLToPath(new URL('app.mjs', import.meta.url))], {
    env: { ...process.env, CHAOS_SOCKET_DIR: join(folder, 's') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (app.stdout === null) throw new Error('Expected the output of the app.')
  await once(app.stdout, 'data')
})
afterAll(async () => {
  app.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  await chaos('stop', '--all')
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function io(
  signal = new AbortController().signal,
  env: NodeJS.ProcessEnv = {},
): Io & { readonly lines: { out: string[]; err: string[] } } {
  const lines = { out: [] as string[], err: [] as string[] }
  return {
    lines,
    out: (text) => lines.out.push(text),
    err: (text) => lines.err.push(text),
    isTerminal: false,
    env,
    signal,
    discover: () => discover({ directory: join(folder, 's') }),
    connect: (address) => connect(address),
  }
}

/** Runs the command as a process of its own. */
async function spawned(...argv: string[]) {
  const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
  const [found] = await discover({ directory: join(folder, 's'), timeoutMs: 30_000 })
  const command = spawn(process.execPath, [bin, ...argv, '--socket', found?.socketPath ?? ''], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void command.kill('SIGKILL'))
  let said = ''
  for (const stream of [command.stdout, command.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  return { command, said: () => said, ended: once(command, 'close') }
}

/** Runs the command within this process. */
async function chaos(...argv: string[]): Promise<Ran> {
  const used = io()
  const code = await main(argv, used)
  return { code, out: used.lines.out.join('\n'), err: used.lines.err.join('\n') }
}

/** A module with an experiment that breaks the bus for a minute. */
const longRun = (title: string): string => `export default {
  title: '${title}', steadyState: { holdForMs: 50, probes: [{ name: 'one', type: 'function', read: () => 1, tolerance: { equals: 1 } }] },
  method: [{ inject: { target: 'bus', fault: 'drop-events', leaseMs: 60000 } }],
}`

describe('chaos', () => {
  it('lists targets and faults, for people and as JSON', async () => {
    expect(await chaos('targets')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/bus +test\/drop-events, test\/say-once/) as string,
    })
    expect(JSON.parse((await chaos('targets', '--json')).out)).toEqual([
      { name: 'bus', faults: ['test/drop-events', 'test/say-once'] },
    ])
    expect((await chaos('faults')).out).toContain('--label <string>  A label. (default: "none")')
    expect(JSON.parse((await chaos('faults', '--json')).out)).toHaveLength(2)
    expect(JSON.parse((await chaos('faults', 'bus', '--json')).out)).toHaveLength(2)
    expect((await chaos('faults', 'bus')).out).toContain('test/say-once (instant)')
  })

  it('reads like success where a fault is in force, and says how to get the same decisions again', async () => {
    const { code, out } = await chaos(
      ...['inject', 'bus', 'drop', '--only', 'never', 'neither', '--for', '30s', '--id', 'new', '--seed', 'a b'],
      ...['--scope', 'order 7 > *'],
    )
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      expect.stringMatching(
        /^new: test\/drop-events into bus, in force for (?:[12]\d|30)\.\d s, nothing affected yet$/,
      ),
      "  same decisions again: --seed 'a b' --id new",
    ])
    expect(JSON.parse((await chaos('status', '--json')).out)).toMatchObject([{ id: 'new', scope: 'order 7 > *' }])
    expect((await chaos('stop', 'new')).out).toMatch(/, ended \(stopped\), nothing affected$/)
  })

  it('mints a scope by the key of the process, with all that is needed to use it', async () => {
    const { code, out, err } = await chaos('scope', 'checkout', '--for', '2m')
    expect([code, err]).toEqual([0, ''])
    const [first = '', header = '', ...commands] = out.split('\n')
    const [, id = '', until = ''] = /^scope (checkout-[0-9a-f]{16}), until (\S+)$/.exec(first) ?? []
    expect(Math.abs(Date.parse(until) - Date.now() - 120_000)).toBeLessThan(60_000)
    expect(header).toMatch(new RegExp(`^baggage: chaos=${id}\\.[0-9a-z]{8}\\.[\\w-]{22}$`))
    expect(commands).toEqual([`curl -H '${header}' "$APP_URL"`, `chaos inject <target> <fault> --scope ${id}`])
    expect((await chaos('inject', 'bus', 'drop', '--scope', id)).code).toBe(0)
    expect(JSON.parse((await chaos('status', '--json')).out)).toMatchObject([{ scope: id, seen: 0 }])
  })

  it('mints a scope itself with the key of several processes, unless one of them is chosen', async () => {
    const minted = async (...argv: string[]): Promise<string> => {
      const used = io(undefined, { CHAOS_SCOPE_KEY: 'a shared key' })
      expect(await main(['scope', '--id', 'run-7', '--json', ...argv], used)).toBe(0)
      return (JSON.parse(used.lines.out.join('\n')) as { readonly header: string }).header
    }
    const isSigned = (header: string): boolean => {
      vi.stubEnv('CHAOS_SCOPE_KEY', 'a shared key')
      const found = hasScopeMember(header, { accept: 'minted' })
      vi.unstubAllEnvs()
      return found
    }
    const headers = [await minted(), await minted('--name', 'test-app')]
    expect(headers).toEqual([expect.stringMatching(/^chaos=run-7\./), expect.stringMatching(/^chaos=run-7\./)])
    // The app has a key of its own.
    expect(headers.map(isSigned)).toEqual([true, false])
  })

  it('injects for requests that are chosen by who has sent them, though there are none yet', async () => {
    const { code, out, err } = await chaos(
      ...['inject', 'bus', 'drop', '--route', 'GET /items/*', 'POST /items', '--user', 'alice', '--tenant', 'a*,b*'],
      ...['--sessions', '0.1', '--sessions-seed', 'monday', '--json'],
    )
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject({
      scope: '{ route: GET /items/* or POST /items, user: alice, tenant: a* or b*, sessions: 0.1, seed: monday }',
    })
  })

  it('injects by a short form, shows what is in force, and stops it', async () => {
    const injected = await chaos(
      'inject',
      'bus',
      'drop',
      '--label',
      'x',
      '--for',
      '30s',
      '--rate',
      '0.5',
      '--seed',
      's',
      '--id',
      'mine',
      '--json',
    )
    expect(injected.code, injected.err).toBe(0)
    expect(JSON.parse(injected.out)).toMatchObject({
      id: 'mine',
      fault: 'test/drop-events',
      leaseMs: 30_000,
      seed: 's',
      options: { label: 'x' },
    })
    expect((await chaos('status')).out).toContain('mine: ')
    await vi.waitFor(async () =>
      expect((await chaos('status')).out).toMatch(/, ([1-9]\d*) of \d+ operations affected; dropped \1$/),
    )
    expect(await chaos('stop', 'mine')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/ended \(stopped\), (\d+) of \d+ operations affected; dropped \1$/) as string,
    })
    expect((await chaos('status')).out).toBe('Nothing is in force.')
    expect(JSON.parse((await chaos('status', '--all', '--json')).out)).toContainEqual(
      expect.objectContaining({ id: 'mine', outcome: 'stopped' }),
    )
  })

  it('renews a lease, both ways', async () => {
    await chaos('inject', 'bus', 'drop', '--id', 'mine', '--for', '10s')
    const longer = await chaos('renew', 'mine', '--for', '2m')
    expect([longer.code, longer.out]).toEqual([0, expect.stringMatching(/in force for 1(19|20)\.\d s/)])
    expect(JSON.parse((await chaos('renew', 'mine', '--for', '30s', '--json')).out)).toMatchObject({ status: 'active' })
    expect(await chaos('renew', 'mine')).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('--for 30s') as string,
    })
    expect((await chaos('renew', 'mine', '--for', '30')).err).toContain('Add a unit')
    await chaos('stop', 'mine')
    expect(await chaos('renew', 'mine', '--for', '1s')).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('has ended (stopped)') as string,
    })
  })

  it('injects the faults of a file: all of them, or none', async () => {
    const file = join(folder, 'faults.json')
    const drop = { target: 'bus', fault: 'drop-events', leaseMs: 30_000 }
    await writeFile(
      file,
      JSON.stringify([
        { ...drop, id: 'one' },
        { ...drop, id: 'two', only: 'never' },
      ]),
    )
    const done = await chaos('batch', file)
    expect([done.code, done.out]).toEqual([0, expect.stringMatching(/^one: [^]*\ntwo: /)])
    await chaos('stop', '--all')
    await writeFile(file, JSON.stringify({ injections: [drop, { ...drop, target: 'buss' }] }))
    expect(await chaos('batch', file)).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('Injection 1 of the batch (counted from 0): Unknown target "buss".') as string,
    })
    expect((await chaos('status')).out).toBe('Nothing is in force.')
    for (const [text, words] of [
      ['{', 'is not JSON'],
      ['{}', 'a list of 1 to 100 injections'],
      ['[{"target":"bus"}]', 'Expected `fault` of injection 0'],
      [' '.repeat(70_000), 'is larger than 65536 bytes'],
    ] as const) {
      await writeFile(file, text)
      expect(await chaos('batch', file)).toMatchObject({
        code: EXIT.usage,
        err: expect.stringContaining(words) as string,
      })
    }
    expect((await chaos('batch', join(folder, 'no.json'))).err).toContain('cannot be read')
  })

  it('ends a batch that is held by the connection when the user breaks off', async () => {
    const file = join(folder, 'held.json')
    await writeFile(file, JSON.stringify([{ target: 'bus', fault: 'drop-events', id: 'held', leaseMs: 60_000 }]))
    const stop = new AbortController()
    const used = io(stop.signal)
    const running = main(['batch', file, '--hold', 'connection'], used)
    await vi.waitFor(() => expect(used.lines.out.join('')).toContain('held: '))
    stop.abort('SIGINT')
    expect(await running).toBe(EXIT.interrupted)
    await vi.waitFor(async () => expect((await chaos('status')).out).toBe('Nothing is in force.'))
  })

  it('says who changed what', async () => {
    await chaos('inject', 'bus', 'drop', '--id', 'mine', '--for', '10s')
    await chaos('stop', 'of-nobody')
    const { out } = await chaos('audit')
    expect(out).toMatch(/inject test\/drop-events into bus mine: 201 active {2}\(.*process \d+, by the same user\)/)
    expect(out).toMatch(/stop of-nobody: 404 CHAOS_UNKNOWN_INJECTION/)
    expect((JSON.parse((await chaos('audit', '--json')).out) as unknown[]).at(-1)).toMatchObject({ operation: 'stop' })
  })

  it('stops what it can, although one of several ids is unknown', async () => {
    await chaos('inject', 'bus', 'drop', '--id', 'mine')
    expect(await chaos('stop', 'nobody', 'mine')).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('nobody') as string,
      out: expect.stringContaining('mine: ') as string,
    })
    expect((await chaos('status')).out).toBe('Nothing is in force.')
  })

  it('checks without breaking anything', async () => {
    const checked = await chaos('inject', 'bus', 'drop', '--label', 'x', '--rate', '0.5', '--dry-run')
    expect(checked).toEqual({ code: 0, err: '', out: 'Nothing was broken. test/drop-events can be injected into bus.' })
    expect(JSON.parse((await chaos('inject', 'bus', 'drop', '--dry-run', '--json')).out)).toEqual({
      target: 'bus',
      fault: 'test/drop-events',
      options: {},
    })
    expect(await chaos('inject', 'bus', 'drop', '--rate', '2', '--dry-run')).toMatchObject({
      code: EXIT.usage,
      out: '',
      err: expect.stringContaining('from 0 to 1') as string,
    })
    expect((await chaos('status')).out).toBe('Nothing is in force.')
  })

  it('takes an option of the fault that has the name of a flag of its own', async () => {
    expect((await chaos('faults')).out).toContain('--with-name <string>  A name.')
    const injected = await chaos(
      'inject',
      'bus',
      'drop',
      '--name',
      'test-app',
      '--with-name',
      'x',
      '--id',
      'named',
      '--json',
    )
    expect(injected.code, injected.err).toBe(0)
    expect(JSON.parse(injected.out)).toMatchObject({ id: 'named', options: { name: 'x', label: 'none' } })
  })

  it('prints the evidence of an instant fault', async () => {
    expect((await chaos('inject', 'bus', 'say-once')).out).toContain('{"said":"once"}')
  })

  it('makes help from the schema that the process serves', async () => {
    const { code, out } = await chaos('inject', 'bus', 'drop-events', '--help')
    expect(code).toBe(0)
    expect(out).toContain('--wait-ms <time>')
    expect(out).toContain('--with-name <string>')
    // Also what says how much, and how long.
    for (const flag of ['--for', '--rate', '--only', '--seed', '--dry-run', '--url'])
      expect(out).toContain(`  ${flag} `)
    expect((await chaos('inject', '--help')).out).toContain('--hold')
    expect((await chaos('--help')).out).toContain('Examples:')
    expect((await chaos('--version')).out).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it.each([
    ['a target', ['inject', 'bsu', 'drop'], EXIT.usage, 'Did you mean "bus"?'],
    ['a fault', ['inject', 'bus', 'dorp-events'], EXIT.usage, 'Did you mean "drop-events"?'],
    ['an option', ['inject', 'bus', 'drop', '--labl', 'x'], EXIT.usage, '(Did you mean --label?)'],
    ['a rate', ['inject', 'bus', 'drop', '--rate', '2'], EXIT.usage, 'from 0 to 1'],
    [
      'a share of sessions',
      ['inject', 'bus', 'drop', '--sessions', '2'],
      EXIT.usage,
      'Expected `scope.sessions` of POST /injections to be a number from 0 to 1',
    ],
    [
      'a scope and a predicate',
      ['inject', 'bus', 'drop', '--scope', 'a', '--user', 'b', '--route', 'c'],
      EXIT.usage,
      '`--scope` names a scope, but --route, --user chooses requests.',
    ],
    ['a seed alone', ['inject', 'bus', 'drop', '--sessions-seed', 'a'], EXIT.usage, 'Add `--sessions`.'],
    ['a time for which a scope is minted', ['scope', '--for', '25h'], EXIT.usage, 'a number of ms from 1 to 86400000'],
    ['the name of a scope', ['scope', 'a b'], EXIT.usage, 'to be 1 to 40 letters, digits or -_'],
    ['a scope of a package', ['scope', '--on', 'redis://127.0.0.1'], EXIT.usage, 'does not take `--on`'],
    ['an id', ['stop', 'nobody'], EXIT.usage, 'next: list the injections with `chaos status --all`'],
    ['a verb', ['inejct'], EXIT.usage, 'Did you mean "inject"?'],
    ['a process', ['targets', '--name', 'nobody'], EXIT.unreachable, 'test-app'],
    ['an address', ['targets', '--socket', '/nowhere.sock'], EXIT.unreachable, 'next: check that the process runs'],
    ['a file', ['run', '/nowhere.yaml'], EXIT.usage, '/nowhere.yaml'],
    ['nothing to stop', ['stop'], EXIT.usage, '--all'],
    ['a variable', ['run', 'x.yaml', '--var', 'nothing'], EXIT.usage, 'next: see `chaos run --help`'],
    [
      'a variable that no text can name',
      ['run', 'x.yaml', '--var', 'APP URL=x'],
      EXIT.usage,
      'Expected `--var` to be NAME=value, with a name of letters, digits and underscores, got `APP URL=x`.',
    ],
    [
      'a variable twice',
      ['run', 'x.yaml', '--var', 'A=1', 'B=1', '--var', 'A=2'],
      EXIT.usage,
      'The variable "A" is set twice. Pass one `--var` for it.',
    ],
    [
      'a lease without any time',
      ['inject', 'bus', 'drop', '--for', '0s'],
      EXIT.usage,
      "option '--for <time>' argument '0s' is invalid. Expected a time longer than 0.",
    ],
    [
      'a count',
      ['inject', 'bus', 'drop', '--limit-per-operation', 'many'],
      EXIT.usage,
      "'--limit-per-operation <count>' argument 'many' is invalid. Expected a number.",
    ],
    [
      'a lease without a unit',
      ['inject', 'bus', 'drop', '--for', '10'],
      EXIT.usage,
      "option '--for <time>' argument '10' is invalid. Add a unit: `10s`, `10ms` or `10m`.",
    ],
    [
      'a process id',
      ['status', '--pid', 'abc'],
      EXIT.usage,
      "option '--pid <pid>' argument 'abc' is invalid. Expected a process id",
    ],
    ['a target whose faults are asked for', ['faults', 'bsu'], EXIT.usage, 'Did you mean "bus"?'],
    [
      'an argument that is missing',
      ['inject', 'bus'],
      EXIT.usage,
      'next: see the options with `chaos inject <target> <fault> --help`',
    ],
    ['a flag', ['status', '--al'], EXIT.usage, 'next: see `chaos status --help`'],
    ['a flag before any verb', ['--bogus'], EXIT.usage, 'next: see `chaos --help`'],
  ])(
    'says on standard error what is wrong with %s, with the exit code of the cause',
    async (_what, argv, code, words) => {
      const ran = await chaos(...argv)
      expect(ran.err).toContain(words)
      expect(ran.out).toBe('')
      expect(ran.code).toBe(code)
    },
  )

  it('ends a fault that is held by the connection when the user breaks off', async () => {
    const abort = new AbortController()
    const used = io(abort.signal)
    const running = main(['inject', 'bus', 'drop', '--hold', 'connection', '--id', 'held'], used)
    await vi.waitFor(async () => expect((await chaos('status')).out).toContain('held: '))
    abort.abort()
    expect(await running).toBe(EXIT.interrupted)
    await vi.waitFor(async () => expect((await chaos('status')).out).toBe('Nothing is in force.'))
  })

  it('ends a fault that is held by the connection when the command is killed', async () => {
    const [found] = await discover({ directory: join(folder, 's') })
    const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
    const command = spawn(
      process.execPath,
      [bin, 'inject', 'bus', 'drop', '--hold', 'connection', '--id', 'killed', '--socket', found?.socketPath ?? ''],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await vi.waitFor(async () => expect((await chaos('status')).out).toContain('killed: '))
    command.kill('SIGKILL')
    await vi.waitFor(async () => expect((await chaos('status')).out).toBe('Nothing is in force.'))
  })

  it.each([[['SIGINT', 'SIGINT']], [['SIGTERM']], [['SIGHUP', 'SIGHUP', 'SIGTERM']], [['SIGQUIT', 'SIGINT']]] as const)(
    'ends a fault that it holds, and says so, however it is told to end: %j',
    async (signals) => {
      const { command, said, ended } = await spawned('inject', 'bus', 'drop', '--hold', 'connection', '--id', 'told')
      await vi.waitFor(async () => expect((await chaos('status')).out).toContain('told: '))
      for (const signal of signals) command.kill(signal)
      expect(await ended).toEqual([EXIT.interrupted, null])
      // Which of several comes first is the kernel's choice.
      expect(said()).toMatch(new RegExp(`interrupted \\((${signals.join('|')})\\): rolling back what is in force`))
      expect((await chaos('status')).out).toBe('Nothing is in force.')
    },
  )

  it('says that the process has gone, and does not pretend that all is well', async () => {
    const other = spawn(process.execPath, [fileURLToPath(new URL('app.mjs', import.meta.url))], {
      env: { ...process.env, CHAOS_SOCKET_DIR: join(folder, 'o') },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void other.kill('SIGKILL'))
    await once(other.stdout, 'data')
    const [found] = await discover({ directory: join(folder, 'o') })
    const both = [['watch'], ['inject', 'bus', 'drop', '--hold', 'connection']].map((argv) => {
      const used = io()
      return { used, running: main([...argv, '--socket', found?.socketPath ?? ''], used) }
    })
    const seen = await connect({ socketPath: found?.socketPath ?? '' })
    onTestFinished(() => seen.close())
    await vi.waitFor(async () => expect(await seen.injections()).toHaveLength(1))
    // The watch has its connection too.
    await vi.waitFor(async () => {
      await seen.inject('bus', 'say-once')
      expect(both[0]?.used.lines.out).not.toEqual([])
    })
    other.kill('SIGKILL')
    for (const { used, running } of both) {
      expect(await running).toBe(EXIT.unreachable)
      expect(used.lines.err.join('\n')).toMatch(/^error: The connection to the process ended.*\nnext: /)
    }
  })

  it('leaves while a fault is long in coming, and the process takes it back', async () => {
    const used = {
      ...io(),
      connect: async (address: Parameters<typeof connect>[0]) => ({
        ...(await connect(address)),
        inject: () => new Promise<never>(() => undefined),
      }),
    }
    const abort = new AbortController()
    const running = main(['inject', 'bus', 'drop'], { ...used, signal: abort.signal })
    abort.abort('SIGINT')
    expect(await running).toBe(EXIT.interrupted)
  })

  it('does not wait for a fault that has ended before anybody followed it', async () => {
    const used = {
      ...io(),
      connect: async (address: Parameters<typeof connect>[0]) => {
        const client = await connect(address)
        const inject: typeof client.inject = async (...given) => {
          const state = await client.inject(...given)
          await vi.waitFor(async () =>
            expect((await client.injections()).find(({ id }) => id === state.id)?.status).toBe('ended'),
          )
          return { ...state, status: 'active' as const }
        }
        return { ...client, inject }
      },
    }
    expect(await main(['inject', 'bus', 'drop', '--limit', '1', '--hold', 'connection'], used)).toBe(EXIT.ok)
    expect(used.lines.out.at(-1)).toContain('ended (limit-spent)')
  })

  it('does not end well when something of a fault is left behind', async () => {
    const used = {
      ...io(),
      connect: async (address: Parameters<typeof connect>[0]) => {
        const client = await connect(address)
        const inject: typeof client.inject = async (...given) => ({
          ...(await client.inject(...given)),
          status: 'ended',
          failures: ['no way back'],
        })
        return { ...client, inject }
      },
    }
    expect(await main(['inject', 'bus', 'drop', '--id', 'left', '--hold', 'connection'], used)).toBe(EXIT.internal)
    expect(used.lines.err[0]).toBe('error: The rollback of left failed in part: no way back')
  })

  it.each([
    ['inject', ['inject', 'bus', 'drop', '--hold', 'connection', '--id', 'stuck:1'], EXIT.internal],
    ['run', ['run', 'stuck.mjs'], EXIT_CODES['rollback-failed']],
  ])('does not say that it was taken back when the user breaks off and that fails: %s', async (_verb, argv, code) => {
    const file = join(folder, 'stuck.mjs')
    await writeFile(file, longRun('stuck'))
    const abort = new AbortController()
    const used = {
      ...io(abort.signal),
      connect: async (address: Parameters<typeof connect>[0]) => {
        const client = await connect(address)
        return {
          ...client,
          stop: async (id: string) =>
            client.stop(id).then(() => Promise.reject(new ChaosError('CHAOS_ROLLBACK_FAILED', 'no way back'))),
        }
      },
    }
    const running = main(
      argv.map((argument) => argument.replace('stuck.mjs', file)),
      used,
    )
    await vi.waitFor(async () => expect((await chaos('status')).out).toContain('stuck:1: '))
    abort.abort('SIGINT')
    expect(await running).toBe(code)
    expect([...used.lines.err, ...used.lines.out].join('\n')).toContain('no way back')
  })

  it.each([['targets'], ['inject', 'bus', 'drop'], ['stop', '--all'], ['run', 'never-read.mjs']])(
    'does not wait for a process that is mute when the user breaks off: %s',
    async (...argv) => {
      const file = join(folder, 'never-read.mjs')
      await writeFile(
        file,
        'export default { title: "x", steadyState: { probes: [{ name: "one", type: "function", read: () => 1, tolerance: { equals: 1 } }] }, method: [{ waitMs: 1 }] }',
      )
      const abort = new AbortController()
      const used = {
        ...io(abort.signal),
        connect: () => {
          abort.abort('SIGINT')
          return new Promise<never>(() => undefined)
        },
      }
      expect(
        await main(
          argv.map((argument) => argument.replace('never-read.mjs', file)),
          used,
        ),
      ).toBe(EXIT.interrupted)
      expect(used.lines.err.at(-1)).toBe('interrupted (SIGINT)')
    },
  )

  it('ends in order when its output is closed', async () => {
    const [found] = await discover({ directory: join(folder, 's') })
    const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
    const command = spawn(process.execPath, [bin, 'watch', '--hits', '--socket', found?.socketPath ?? ''], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void command.kill('SIGKILL'))
    let err = ''
    command.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    const ended = once(command, 'exit')
    const spoke = once(command.stdout, 'data')
    // It follows as soon as it is connected, which it does not say.
    const talking = setInterval(() => void chaos('inject', 'bus', 'say-once'), 50)
    onTestFinished(() => clearInterval(talking))
    await spoke
    command.stdout.destroy()
    const [code] = (await ended) as [number | null]
    expect(err).toBe('')
    expect(code).toBe(0)
  })

  it.skipIf(!existsSync('/dev/full'))('does not end well when its output cannot be written', async () => {
    const full = await open('/dev/full', 'w')
    onTestFinished(() => full.close())
    const command = spawn(process.execPath, [fileURLToPath(new URL('../dist/bin.js', import.meta.url)), '--version'], {
      stdio: ['ignore', full.fd, 'pipe'],
    })
    let err = ''
    command.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
    expect(await once(command, 'close')).toEqual([EXIT.internal, null])
    expect(err).toContain('error: Output cannot be written: ENOSPC')
  })

  it('prints what the app says of itself', async () => {
    const abort = new AbortController()
    const used = io(abort.signal)
    const watching = main(['watch'], used)
    await vi.waitFor(async () => {
      await chaos('inject', 'bus', 'say-once')
      expect(used.lines.out.join('\n')).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}alert +alert=Silence state=firing$/m)
    })
    abort.abort()
    expect(await watching).toBe(0)
  })

  it('follows what happens as JSON lines', async () => {
    const abort = new AbortController()
    const used = io(abort.signal)
    const watching = main(['watch', '--json'], used)
    await vi.waitFor(async () => {
      await chaos('inject', 'bus', 'say-once')
      expect(used.lines.out.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(
        expect.arrayContaining(['armed', 'landed', 'ended', 'app-event']),
      )
    })
    abort.abort()
    expect(await watching).toBe(0)
  })
})

describe('chaos run', () => {
  const experiment = (lease: number, id: string): string => `
title: ${id}
steadyState:
  holdForMs: 50
  timeoutMs: 5000
  probes:
    - { name: nothing in force, type: http, url: 'http://127.0.0.1:1/', status: 200 }
method:
  - inject: { target: bus, fault: drop-events, leaseMs: ${lease} }
`

  it('judges, writes reports, and exits by the verdict', async () => {
    const file = join(folder, 'gate.yaml')
    await writeFile(file, experiment(200, 'a gate that cannot be met').replace('timeoutMs: 5000', 'timeoutMs: 300'))
    const ran = await chaos('run', file, '--report', join(folder, 'reports'))
    expect(ran.code, ran.err).toBe(EXIT_CODES['gate-unmet'])
    expect(ran.out).toContain('gate-unmet: ')
    expect(JSON.parse(await readFile(join(folder, 'reports', 'journal.json'), 'utf8'))).toMatchObject({
      experiments: [{ verdict: { name: 'gate-unmet' } }],
    })
    expect(await readFile(join(folder, 'reports', 'report.html'), 'utf8')).toContain('gate-unmet')
    expect(await readFile(join(folder, 'reports', 'junit.xml'), 'utf8')).toContain('<error')
  })

  it('passes, with one JSON document on standard output', async () => {
    const file = join(folder, 'pass.mjs')
    await writeFile(
      file,
      `export default {
      title: 'losing events', steadyState: { holdForMs: 50, probes: [{ name: 'one', type: 'function', read: () => 1, tolerance: { equals: 1 } }] },
      method: [{ inject: { target: 'bus', fault: 'drop-events', leaseMs: 300 } }], recovery: { withinMs: 10000 },
    }`,
    )
    const ran = await chaos('run', file, '--json')
    expect(ran.code, ran.err + ran.out).toBe(0)
    expect(JSON.parse(ran.out)).toMatchObject({ experiments: [{ title: 'losing events', verdict: { name: 'pass' } }] })
  })

  it('runs the experiments of a folder in order, and sums them up', async () => {
    const experiments = join(folder, 'several')
    await mkdir(experiments)
    const gate = experiment(200, 'gate').replace('timeoutMs: 5000', 'timeoutMs: 100')
    await writeFile(join(experiments, 'b.yaml'), gate)
    await writeFile(join(experiments, 'a.yml'), gate.replace('title: gate', 'title: another gate'))
    await writeFile(join(experiments, 'helper.mjs'), 'throw new Error("not an experiment")')
    const ran = await chaos('run', experiments)
    expect(ran.code, ran.err).toBe(EXIT_CODES['gate-unmet'])
    expect(ran.out.split('\n').slice(-3)).toEqual([
      'gate-unmet  another gate',
      'gate-unmet  gate',
      expect.stringMatching(/^gate-unmet: 0 of 2 experiments passed; another gate: \S/),
    ])
    const empty = join(folder, 'empty')
    await mkdir(empty)
    expect(await chaos('run', empty)).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('has no experiment (.yaml, .yml or .json).') as string,
    })
  })

  it('fills in ALERTS_URL, and says which seed the fault had', async () => {
    const file = join(folder, 'variables.mjs')
    await writeFile(
      file,
      `export default ({ ALERTS_URL, APP_URL }) => { if (APP_URL !== 'x') throw new Error('none of ' + ALERTS_URL); return ${shortRun('filled').replace('export default', '')} }`,
    )
    const prometheus = ['--alerts-url', 'http://127.0.0.1:1']
    expect((await chaos('run', file, ...prometheus)).err).toContain('none of http://127.0.0.1:1')
    expect((await chaos('run', file, ...prometheus, '--var', 'ALERTS_URL=mine')).err).toContain('none of mine')
    expect((await chaos('run', file, '--var', 'APP_URL=x')).out).toMatch(
      /^ {2}fault {12}test\/drop-events on bus: \d+ of \d+ operations affected, seed \w+$/m,
    )
  })

  const shortRun = (title: string, fault = 'drop-events', more = ''): string => `export default {
    title: '${title}', steadyState: { holdForMs: 50, probes: [{ name: 'one', type: 'function', read: () => 1, tolerance: { equals: 1 } }] },
    method: [{ inject: { target: 'bus', fault: '${fault}', leaseMs: 300 } }], recovery: { withinMs: 10000 }, ${more}
  }`

  it('breaks nothing when one of several experiments is one that cannot pass', async () => {
    const [good, refused] = [join(folder, 'first.mjs'), join(folder, 'refused.mjs')]
    await writeFile(good, shortRun('first'))
    await writeFile(refused, shortRun('refused', 'no-such-fault'))
    const ran = await chaos('run', good, refused, '--json', '--report', join(folder, 'none'))
    expect(ran).toMatchObject({
      code: EXIT.refused,
      out: '',
      err: expect.stringMatching(/^error: refused: Unknown fault "no-such-fault" of target "bus"/) as string,
    })
    expect(JSON.parse((await chaos('status', '--all', '--json')).out)).not.toContainEqual(
      expect.objectContaining({ id: 'first:1' }),
    )
    await expect(readFile(join(folder, 'none', 'journal.json'))).rejects.toThrow('ENOENT')
  })

  it('reports what has run, also when the one after it is refused', async () => {
    const [good, refused] = [join(folder, 'good.mjs'), join(folder, 'later.mjs')]
    await writeFile(good, shortRun('good'))
    await writeFile(refused, shortRun('later'))
    // Once the first has run, the process no longer takes the fault of the second.
    const used = {
      ...io(),
      connect: async (address: Parameters<typeof connect>[0]) => {
        const client = await connect(address)
        let hasRun = false
        const inject: typeof client.inject = (...given) => client.inject(...given).finally(() => (hasRun = true))
        const check: typeof client.check = (...given) =>
          hasRun ? Promise.reject(new ChaosError('CHAOS_INVALID_OPTION', 'Not any more.')) : client.check(...given)
        return { ...client, inject, check }
      },
    }
    const code = await main(['run', good, refused, '--json', '--report', join(folder, 'half')], used)
    expect(used.lines.err.join('\n')).toContain('Not any more.')
    expect(code).toBe(EXIT.refused)
    expect(JSON.parse(used.lines.out.join('\n'))).toMatchObject({
      experiments: [{ title: 'good', verdict: { name: 'pass' } }],
    })
    expect(JSON.parse(await readFile(join(folder, 'half', 'journal.json'), 'utf8'))).toMatchObject({
      experiments: [{ title: 'good' }],
    })
  })

  it('refuses flags that cannot work before it breaks anything', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    const file = join(folder, 'flags.mjs')
    await writeFile(
      file,
      shortRun('flags', 'drop-events', "alerts: { mustFire: [{ name: 'Silence', withinMs: 1000 }] }"),
    )
    const wrong: readonly (readonly [readonly string[], string])[] = [
      [
        ['--alerts-url', 'localhost:9090'],
        'Expected `--alerts-url` to be an address such as http://127.0.0.1:9090, got `localhost:9090`.',
      ],
      [['--alerts-url', ''], 'Expected `--alerts-url` to be an address'],
      [
        ['--alertmanager-url', 'http://127.0.0.1:1/?a=b', '--watchdog', 'Watchdog'],
        'Expected `--alertmanager-url` to be an address',
      ],
      [['--alertmanager-url', 'http://127.0.0.1:1'], '`--alertmanager-url` needs `--watchdog` or `--alerts-url`'],
      [['--watchdog', 'Watchdog'], '`--watchdog` needs `--alerts-url` or `--alertmanager-url`'],
      [
        ['--alerts-url', 'http://127.0.0.1:1', '--watchdog', 'Silence'],
        'The `--watchdog` alert "Silence" must fire because of a fault in "flags". Name an alert that always fires.',
      ],
      [
        ['--webhook-port', String(port)],
        `Notifications cannot be received on port ${port} of 127.0.0.1: listen EADDRINUSE`,
      ],
      [['--report', ''], '`--report` needs a directory.'],
    ]
    for (const [flags, words] of wrong)
      expect(await chaos('run', file, ...flags)).toMatchObject({
        code: EXIT.usage,
        out: '',
        err: expect.stringContaining(words) as string,
      })
    expect(JSON.parse((await chaos('status', '--all', '--json')).out)).not.toContainEqual(
      expect.objectContaining({ id: 'flags:1' }),
    )
  })

  it('takes a module that cannot make its experiment for a mistake in the file', async () => {
    const file = join(folder, 'makes-none.mjs')
    await writeFile(file, "export default ({ RATE }) => { throw new Error('RATE is ' + RATE) }")
    expect(await chaos('run', file)).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining('makes-none.mjs failed to make an experiment: RATE is undefined') as string,
    })
  })

  it('breaks nothing when the user breaks off before it begins', async () => {
    const file = join(folder, 'early.mjs')
    await writeFile(file, shortRun('early'))
    const abort = new AbortController()
    // The process answers everything but what a run asks it first.
    const used = {
      ...io(abort.signal),
      connect: async (address: Parameters<typeof connect>[0]) => ({
        ...(await connect(address)),
        info: () => {
          abort.abort('SIGINT')
          return new Promise<never>(() => undefined)
        },
      }),
    }
    expect(await main(['run', file], used)).toBe(EXIT.interrupted)
    expect(used.lines.out.at(-1)).toBe('inconclusive: The run was aborted: the caller stopped it: SIGINT.')
    expect(JSON.parse((await chaos('status', '--all', '--json')).out)).not.toContainEqual(
      expect.objectContaining({ id: 'early:1' }),
    )
  })

  it('rolls everything back when the user breaks off', async () => {
    const file = join(folder, 'long.mjs')
    await writeFile(file, longRun('long'))
    const abort = new AbortController()
    const used = io(abort.signal)
    const running = main(['run', file], used)
    await vi.waitFor(async () => expect((await chaos('status')).out).toContain('long:1: test/drop-events into bus'))
    abort.abort()
    expect(await running).toBe(EXIT.interrupted)
    expect((await chaos('status')).out).toBe('Nothing is in force.')
  })

  it.each([
    ['SIGHUP', 'SIGHUP', 'SIGINT'],
    ['SIGINT', 'SIGINT', 'SIGINT'],
    ['SIGTERM'],
    ['SIGQUIT', 'SIGQUIT'],
  ] as const)('rolls everything back when it is told to end: %s, %s, %s', async (...signals) => {
    const file = join(folder, 'told.mjs')
    await writeFile(
      file,
      `export default {
      title: 'told', steadyState: { holdForMs: 50, probes: [{ name: 'one', type: 'function', read: () => 1, tolerance: { equals: 1 } }] },
      method: [{ inject: { target: 'bus', fault: 'drop-events', leaseMs: 60000 } }],
    }`,
    )
    const { command, said, ended } = await spawned('run', file)
    await vi.waitFor(async () => expect((await chaos('status')).out).toContain('told:1: test/drop-events into bus'))
    for (const signal of signals) command.kill(signal)
    expect(await ended).toEqual([EXIT.interrupted, null])
    // Which of several comes first is the kernel's choice.
    expect(said()).toMatch(new RegExp(`interrupted \\((${signals.join('|')})\\): rolling back what is in force`))
    expect((await chaos('status')).out).toBe('Nothing is in force.')
  })

  it('rolls everything back when it is killed', async () => {
    const file = join(folder, 'killed.mjs')
    await writeFile(file, longRun('killed'))
    const { command, ended } = await spawned('run', file)
    await vi.waitFor(async () => expect((await chaos('status')).out).toContain('killed:1: test/drop-events into bus'))
    command.kill('SIGKILL')
    await ended
    await vi.waitFor(async () => expect((await chaos('status')).out).toBe('Nothing is in force.'))
  })

  it.skipIf(process.platform === 'win32').each([
    ["new Error('of the module')", 'Error: of the module'],
    ['Object.create(null)', 'an unreadable value'],
  ])('rolls everything back after an uncaught error, and says which: %s', async (thrown, words) => {
    const file = join(folder, 'throwing.mjs')
    await writeFile(file, `process.once('SIGUSR2', () => { throw ${thrown} })\n${longRun('throwing')}`)
    const { command, said, ended } = await spawned('run', file, '--report', join(folder, 'throwing'))
    await vi.waitFor(async () => expect((await chaos('status')).out).toContain('throwing:1: test/drop-events into bus'))
    command.kill('SIGUSR2')
    expect(await ended).toEqual([EXIT.internal, null])
    expect(said()).toContain(`error: Uncaught error: ${words}`)
    expect((await chaos('status')).out).toBe('Nothing is in force.')
    expect(JSON.parse(await readFile(join(folder, 'throwing', 'journal.json'), 'utf8'))).toMatchObject({
      experiments: [{ verdict: { name: 'inconclusive' } }],
    })
  })

  it.each([
    ['never comes to its experiment', 'new Promise(() => undefined)'],
    ['ends the process', 'process.exit(0)'],
  ])('does not end well when a module %s', async (_title, made) => {
    const file = join(folder, 'endless.mjs')
    await writeFile(file, `export default () => ${made}`)
    const { said, ended } = await spawned('run', file)
    expect(await ended).toEqual([EXIT.internal, null])
    expect(said()).toContain('error: The command ended before it finished')
  })

  it('refuses a directory of reports that cannot be written before it breaks anything', async () => {
    await writeFile(join(folder, 'in-the-way'), '')
    await writeFile(join(folder, 'never-run.mjs'), longRun('never-run'))
    const ran = await chaos('run', join(folder, 'never-run.mjs'), '--report', join(folder, 'in-the-way'))
    expect(ran).toMatchObject({
      code: EXIT.usage,
      out: '',
      err: expect.stringContaining('Reports cannot be written') as string,
    })
    expect(JSON.parse((await chaos('status', '--all', '--json')).out)).not.toContainEqual(
      expect.objectContaining({ status: 'active' }),
    )
  })

  it.each([
    ['a pass', 1, 'pass', EXIT.reportNotWritten],
    ['any other verdict', 2, 'gate-unmet', EXIT_CODES['gate-unmet']],
  ])('shows a verdict whose reports cannot be written any more: %s', async (_what, read, verdict, code) => {
    const reports = join(folder, `late-${read}`)
    const file = join(folder, `late-${read}.mjs`)
    // While it runs, something takes the place of a report.
    await writeFile(
      file,
      `import { mkdirSync } from 'node:fs'
    export default {
      title: 'late', steadyState: { holdForMs: 50, timeoutMs: 300, probes: [{ name: 'one', type: 'function', read: () => { mkdirSync(${JSON.stringify(join(reports, 'report.html'))}, { recursive: true }); return ${read} }, tolerance: { equals: 1 } }] },
      method: [{ inject: { target: 'bus', fault: 'drop-events', leaseMs: 300 } }], recovery: { withinMs: 10000 },
    }`,
    )
    const ran = await chaos('run', file, '--report', reports)
    expect(ran.out).toMatch(new RegExp(`^${verdict}: `, 'm'))
    expect(ran.err).toContain('error: Reports cannot be written')
    expect(ran.code).toBe(code)
    expect(JSON.parse((await chaos('run', file, '--json', '--report', `${reports}-json`)).out)).toMatchObject({
      experiments: [{ verdict: { name: verdict } }],
    })
  })

  it('breaks nothing when one of several files is wrong', async () => {
    const file = join(folder, 'wrong.yaml')
    await writeFile(file, 'title: wrong\nsteadystate: {}\n')
    const ran = await chaos('run', join(folder, 'pass.mjs'), file)
    expect(ran.code).toBe(EXIT.usage)
    expect(ran.err).toContain('wrong.yaml:2:1')
    expect(JSON.parse((await chaos('status', '--all', '--json')).out)).not.toContainEqual(
      expect.objectContaining({ status: 'active' }),
    )
  })
})
