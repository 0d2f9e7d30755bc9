import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EXIT_CODES } from '@chaos/experiment'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { EXIT } from '../src/index.js'

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const URL_OF_THIRD = 'third://me:hunter2@host'
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-on-'))
  const third = join(folder, 'node_modules', 'third-party')
  mkdirSync(third, { recursive: true })
  symlinkSync(
    fileURLToPath(new URL('../node_modules/@chaos', import.meta.url)),
    join(folder, 'node_modules', '@chaos'),
    'junction',
  )
  const exports = { './controller': './controller.cjs', './package.json': './package.json' }
  const chaos = { controller: './controller', schemes: ['third'] }
  writeFileSync(join(third, 'package.json'), JSON.stringify({ name: 'third-party', version: '1.0.0', chaos, exports }))
  copyFileSync(fileURLToPath(new URL('third-party.cjs', import.meta.url)), join(third, 'controller.cjs'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ devDependencies: { 'third-party': '*' } }))
  for (const [name, leaseMs] of Object.entries({ short: 300, long: 600_000 }))
    writeFileSync(
      join(folder, `${name}.mjs`),
      `export default {
        title: '${name}', steadyState: { holdForMs: 50, probes: [{ name: 'one', type: 'function', read: () => 1, tolerance: { equals: 1 } }] },
        method: [{ inject: { target: 'bus[share=0.5]', fault: 'drop-events', leaseMs: ${leaseMs} } }], recovery: { withinMs: 10000 },
      }`,
    )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the built command in the folder of the app. */
function chaos(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child: ChildProcess = spawn(process.execPath, [bin, ...argv], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  return { child, said, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...said })) }
}
const on = (...argv: readonly string[]) => chaos([...argv, '--on', URL_OF_THIRD])

it('lists what a package of a third party connects to, whatever CHAOS_URL says', async () => {
  const elsewhere = { CHAOS_URL: 'http://127.0.0.1:1/chaos' }
  expect(await chaos(['targets', '--on', URL_OF_THIRD], elsewhere).ended).toEqual({
    code: EXIT.ok,
    out: 'target  faults\nbus     third/drop-events\n',
    err: 'third: closed, 0 in force\n',
  })
  const { out } = await on('faults', 'bus[share=0.5]').ended
  expect(out.split('\n').slice(0, 2)).toEqual(['third/drop-events (standing)', '  Loses events.'])
  expect(out).toContain('Its options are not listed here. Pass them by name, such as --delay-ms 500')
})

it('runs an experiment, and exits by its verdict', async () => {
  const { code, out, err } = await on('run', 'short.mjs').ended
  expect(code, err + out).toBe(EXIT_CODES.pass)
  expect(out).toContain('third/drop-events on bus')
  expect(err).toBe('third: injected {}\nthird: closed, 0 in force\n')
})

it('ends what a run has in force on Ctrl-C', async () => {
  const { child, said, ended } = on('run', 'long.mjs')
  await vi.waitFor(() => expect(said.out).toContain('was injected into bus[share=0.5]'))
  child.kill('SIGINT')
  expect(await ended).toMatchObject({
    code: EXIT.interrupted,
    out: expect.stringContaining('inconclusive: The run was aborted: the caller stopped it: SIGINT.') as string,
    err: 'third: injected {}\ninterrupted (SIGINT): rolling back what is in force\nthird: closed, 0 in force\n',
  })
})

it('says when the connection ends in mid-run', async () => {
  const { code, err } = await chaos(['run', 'short.mjs', '--on', `${URL_OF_THIRD}?dies`]).ended
  expect(code, 'the evidence was there all the same').toBe(EXIT_CODES.pass)
  expect(err).toBe(
    'third: injected {}\nerror: The connection of `--on` ended. What was injected through it ends at the latest with its lease.\nthird: closed, 0 in force\n',
  )
})

it('injects with options that it knows nothing of, and keeps the fault until Ctrl-C', async () => {
  const given = [
    ...['--delay-ms', '2s', '--is-loud', '--no-is-off', '--label', 'two words'],
    ...['--names', 'a', '--names', 'b', '--with-name', 'x', '--for', '60s', '--id', 'mine'],
  ]
  const { child, said, ended } = on('inject', 'bus[share=0.5]', 'drop', ...given)
  await vi.waitFor(() => expect(said.out).toContain('same decisions again'))
  expect(JSON.parse(/injected (.*)/.exec(said.err)?.[1] ?? '')).toEqual({
    delayMs: 2_000,
    isLoud: true,
    isOff: false,
    label: 'two words',
    names: ['a', 'b'],
    name: 'x',
  })
  child.kill('SIGINT')
  const { code, err } = await ended
  expect(code, err).toBe(EXIT.interrupted)
  expect(err).toMatch(/third: closed, 0 in force\n$/)
})

it('holds a fault for its lease, and reports its end', async () => {
  const { code, out, err } = await on('inject', 'bus', 'drop', '--for', '200ms').ended
  expect(code, err).toBe(EXIT.ok)
  expect(out).toMatch(/in force for[^]*ended \(lease-expired\)/)
})

it.each([
  [['--dleay-ms', '5'], EXIT.usage, 'Unknown option "dleayMs" of third/drop-events. Did you mean "delayMs"?'],
  [['--hold', 'lease'], EXIT.usage, 'Leave out `--hold lease`, and keep the command running.'],
  [['--token-file', 'x', '--pid', '1'], EXIT.usage, '`--on` and `--token-file`, `--pid` exclude each other.'],
  [['--url', 'http://x'], EXIT.usage, '`--on` and `--url` exclude each other.'],
  [['--dry-run', '--for', '0.5h', '--rate', '7'], EXIT.usage, 'Expected `rate`'],
])('refuses to inject with %s', async (flags, code, why) => {
  expect(await on('inject', 'bus', 'drop', ...flags).ended).toMatchObject({
    code,
    out: '',
    err: expect.stringContaining(why) as string,
  })
})

it('says what a dry run does not check', async () => {
  expect(await on('inject', 'bus', 'drop', '--dry-run').ended).toMatchObject({
    code: EXIT.ok,
    out: 'Nothing was broken. third/drop-events can be injected into bus. Its options are checked when it is injected.\n',
  })
  const { out } = await on('inject', 'bus', 'drop', '--help').ended
  expect(out).toContain('Its options are not listed here.')
})

it.each([[['status']], [['watch']], [['stop', '--all']]])('has no %s of what ends with its command', async (argv) => {
  expect(await on(...argv).ended).toMatchObject({
    code: EXIT.usage,
    err: expect.stringContaining('error: This command does not take `--on`.') as string,
  })
  expect((await chaos([argv[0] ?? '', '--help']).ended).out).not.toContain('--on')
})

it('exits where the connection ends under a held fault', async () => {
  const { code, err } = await chaos(['inject', 'bus', 'drop', '--on', `${URL_OF_THIRD}?dies`]).ended
  expect(code, err).toBe(EXIT.unreachable)
  expect(err).toContain('error: The connection of `--on` ended.')
})

it('leaves while a connection is long in coming, and closes it when it comes', async () => {
  const { child, said, ended } = chaos(['inject', 'bus', 'drop', '--on', `${URL_OF_THIRD}?slow`])
  await vi.waitFor(() => expect(said.err).toBe('third: waits\n'))
  child.kill('SIGINT')
  const { code, err } = await ended
  expect(code).toBe(EXIT.interrupted)
  expect(new Set(err.trim().split('\n'))).toEqual(
    new Set(['third: waits', 'interrupted (SIGINT)', 'third: closed, 0 in force']),
  )
})

it.each([
  ['refuses', EXIT.unreachable, 'third-party/controller could not connect: no route to third://me:…@host?refuses'],
  ['throws', EXIT.internal, 'Uncaught error: Error: lost third://me:…@host?throws'],
])('shows no password when a package %s with the URL in its message', async (how, code, why) => {
  const ran = await chaos(['run', 'long.mjs', '--on', `${URL_OF_THIRD}?${how}`]).ended
  expect(ran.err).toContain(why)
  expect(ran.code).toBe(code)
  expect(ran.err + ran.out).not.toContain('hunter2')
})
