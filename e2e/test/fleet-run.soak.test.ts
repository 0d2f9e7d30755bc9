import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, hasPrograms, ownRedis, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import { EXIT } from '@chaos/cli'
import { EXIT_CODES } from '@chaos/experiment'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { FLEET_PAGE, shopFolder, type ShopFolder } from '../src/fleet-page.js'
import { blocksOf, examplesOf, shapeOf } from '../src/page-examples.js'
import { packageNamed } from '../src/repository.js'
import { run, runOrThrow, type Ran } from '../src/run.js'

const chaosBin = join(packageNamed('cli').dir, 'dist', 'bin.js')
const fleetBin = join(packageNamed('fleet').dir, 'dist', 'bin.js')

describe.runIf(hasPrograms('redis-server'))('a fleet, by its page (skipped without redis-server)', () => {
  let redis: OwnServer
  /** What the page calls a port, and the port here. */
  const ports = new Map<string, number>()
  let shop: ShopFolder
  let folder: string
  const apps: ChildProcess[] = []
  /** A line of the page's commands, by its beginning. */
  const command = (begin: string): readonly string[] => {
    const line = blocksOf(FLEET_PAGE)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code }) => code.split('\n'))
      .find((one) => one.startsWith(begin))
    return shop
      .here(line ?? '')
      .replace(/ &$/, '')
      .split(' ')
      .map((word) => word.replace(/^'(.*)'$/, '$1'))
  }
  const url = (): string => command('npx chaos targets').at(-1) ?? ''
  const env = { ...process.env, CHAOS_FLEET_KEY: 'keys/ops', NODE_ENV: undefined }

  const chaos = (...argv: readonly string[]): Promise<Ran> =>
    run(process.execPath, [chaosBin, ...argv], { cwd: folder, env })
  /** The command as a process, which tests end. */
  function started(...argv: readonly string[]): {
    readonly child: ChildProcess
    readonly said: () => string
    readonly ended: Promise<Ran>
  } {
    const child = spawn(process.execPath, [chaosBin, ...argv], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const said = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
    const ended = once(child, 'close').then(([exitCode, signal]) => ({
      exitCode: exitCode as number | null,
      signal: signal as NodeJS.Signals | null,
      ...said,
    }))
    return { child, said: () => said.stdout, ended }
  }
  /** How many are left, as each process says; `null` where it cannot ask the stock. */
  const left = (): Promise<readonly unknown[]> =>
    Promise.all(
      ['3001', '3002'].map(async (port) => {
        const answer = await fetch(`http://127.0.0.1:${String(ports.get(port))}/`)
        return ((await answer.json()) as { readonly left: unknown }).left
      }),
    )
  const WHOLE = [7, 7]
  const areBroken = (count: number): Promise<void> =>
    vi.waitFor(async () => expect((await left()).filter((one) => one === null)).toHaveLength(count))

  beforeAll(async () => {
    redis = await ownRedis()
    for (const shown of ['3001', '3002']) ports.set(shown, await freePort())
    ports.set('6379', redis.port)
    shop = shopFolder(ports)
    folder = shop.path
    shop.write('long.yaml', readFileSync(join(folder, 'stock-is-down.yaml'), 'utf8').replace('3000\n', '600000\n'))
    // `chaos fleet` runs the program `chaos-fleet`.
    for (const verb of ['key', 'open'])
      await runOrThrow(process.execPath, [fleetBin, ...command(`npx chaos fleet ${verb}`).slice(3)], { cwd: folder })
    for (const shown of ['3001', '3002'])
      apps.push(
        spawn(process.execPath, command(`node orders.mjs ${shown}`).slice(1), {
          cwd: folder,
          env: { ...env, NODE_NO_WARNINGS: '1' },
          stdio: ['ignore', 'ignore', 'inherit'],
        }),
      )
    await vi.waitFor(async () => expect(await left()).toEqual(WHOLE))
    await vi.waitFor(async () => {
      const { stdout } = await run(process.execPath, [fleetBin, 'ls', '--json', '--on', url()], { cwd: folder, env })
      expect((JSON.parse(stdout) as { readonly instances: readonly unknown[] }).instances).toHaveLength(2)
    })
  }, SERVER_TIMEOUT_MS)

  afterAll(async () => {
    for (const app of apps) {
      const exited = app.exitCode === null && app.signalCode === null ? once(app, 'exit') : undefined
      app.kill('SIGKILL')
      await exited
    }
    await redis.stop()
    shop.remove()
  })

  it('runs the experiment of the page, and ends with its verdict', async () => {
    expect(
      await run(process.execPath, [chaosBin, ...command('npx chaos targets').slice(2)], { cwd: folder, env }),
    ).toEqual({
      exitCode: EXIT.ok,
      signal: null,
      stdout: 'target  faults\nstock   adapter/refuse-calls\n',
      stderr: '',
    })
    const ran = await chaos(...command('npx chaos run').slice(2), '--report', 'reports')
    expect(ran.exitCode, ran.stderr + ran.stdout).toBe(EXIT_CODES.pass)
    const shown = examplesOf(FLEET_PAGE, 'sh').find(({ code }) => code.includes('npx chaos run'))?.output
    expect(shapeOf(ran.stdout.replace(/^report: .*\n/m, ''))).toEqual(shapeOf(shown ?? ''))
    expect(JSON.parse(readFileSync(join(folder, 'reports', 'journal.json'), 'utf8'))).toMatchObject({
      experiments: [
        {
          verdict: { name: 'pass' },
          evidence: {
            injections: [
              {
                target: 'stock[service=orders,share=0.5]',
                outcome: 'lease-expired',
                account: { instances: 1, reverted: 1 },
              },
            ],
          },
        },
      ],
    })
    expect(await left()).toEqual(WHOLE)
  })

  it('finds a weakness that only instances under the fault have', async () => {
    const page = readFileSync(join(folder, 'stock-is-down.yaml'), 'utf8')
    const known = ['3001', '3002'].map(
      (port) =>
        `    - { name: stock at ${port}, type: http, url: 'http://127.0.0.1:${String(ports.get(port))}/', path: left, tolerance: { atLeast: 1 } }\n`,
    )
    const weak = page
      .replace('3000\n', '6000\n')
      .replace('method:\n', `${known.join('')}method:\n`)
      .replace(
        /withinMs: 10000/,
        'withinMs: 10000\n  duringFault: { withinMs: 3000, probes: [stock at 3001, stock at 3002] }',
      )
    shop.write('weak.yaml', weak)
    const ran = await chaos('run', 'weak.yaml', '--on', url())
    expect(ran.exitCode, ran.stderr + ran.stdout).toBe(EXIT_CODES['weakness-found'])
    expect(ran.stdout).toMatch(/left its bounds/)
    expect(await left()).toEqual(WHOLE)
  })

  /** Waits until the fault of a run is in force. Fails with what the command said if it ends before. */
  const isInjected = ({ said, ended }: ReturnType<typeof started>): Promise<void> =>
    Promise.race([
      vi.waitFor(() => expect(said()).toContain('was injected into stock')),
      ended.then(({ stdout, stderr }) => expect(stdout + stderr).toContain('was injected into stock')),
    ])

  it('is whole when Ctrl-C ends a run', async () => {
    const running = started('run', 'long.yaml', '--on', url())
    await isInjected(running)
    await areBroken(1)
    running.child.kill('SIGINT')
    const { exitCode, stdout, stderr } = await running.ended
    expect({ exitCode, stderr }, stdout).toEqual({
      exitCode: EXIT.interrupted,
      stderr: 'interrupted (SIGINT): rolling back what is in force\n',
    })
    expect(stdout).toContain('inconclusive: The run was aborted: the caller stopped it: SIGINT.')
    expect(await left(), 'already when the command has ended').toEqual(WHOLE)
  })

  it('injects with options that only the instances know, until Ctrl-C', async () => {
    const wrong = await chaos('inject', 'stock[share=1]', 'refuse', '--eror', 'ECONNREFUSED', '--on', url())
    expect(wrong.exitCode, wrong.stderr).toBe(EXIT.refused)
    expect(wrong.stderr).toMatch(/[12] of 2 instances refused the plan\./)
    expect(wrong.stderr).toContain('Unknown option "eror" of adapter/refuse-calls. Did you mean "error"?')
    const { child, ended } = started('inject', 'stock[share=1]', 'refuse', '--error', 'ECONNREFUSED', '--on', url())
    await areBroken(2)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ exitCode: EXIT.interrupted })
    expect(await left()).toEqual(WHOLE)
  })

  it('says why a run is refused, and shows no password', async () => {
    const withPassword = url().replace('://', '://me:hunter2@')
    const refused = await chaos('run', 'stock-is-down.yaml', '--on', withPassword)
    expect(refused).toMatchObject({ exitCode: EXIT.refused, stderr: expect.stringContaining('WRONGPASS') as string })
    const gone = await chaos('targets', '--on', withPassword.replace(/:\d+\?/, ':1?'))
    expect(gone).toMatchObject({ exitCode: EXIT.unreachable, stderr: expect.stringContaining('127.0.0.1:1') as string })
    for (const { stdout, stderr } of [refused, gone]) expect(stdout + stderr).not.toContain('hunter2')
  })

  it('is whole, and says so, when Redis dies in mid-run', async () => {
    const running = started('run', 'long.yaml', '--on', url())
    await isInjected(running)
    await areBroken(1)
    redis.process.kill('SIGKILL')
    await vi.waitFor(async () => expect(await left()).toEqual(WHOLE))
    const { exitCode, stdout } = await running.ended
    expect(exitCode, stdout).toBe(EXIT_CODES.inconclusive)
    expect(stdout).toContain('was cut short: the engine did not answer for the lease of 5000 ms')
  })
})
