import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { createChaos, inject, journal, type Fault, type Injection, type JournalEntry } from '@chaos/core'
import { extendLease } from '@chaos/core/authoring'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { HOMES, inForce, startScene, type Scene } from '../../../test/tcp.js'
import {
  corruptData,
  createProxy,
  delayData,
  dropData,
  limitBandwidth,
  refuseConnections,
  type ProxyTarget,
} from '../../index.js'
import { WorkerProxy } from './worker-proxy.js'

/** Blocks the event loop of this thread until something is true that others bring about. */
function blockUntil(isTrue: () => boolean): void {
  const asleep = new Int32Array(new SharedArrayBuffer(4))
  for (let left = 3_000; !isTrue(); left -= 1) {
    if (left === 0) throw new Error('Blocked this thread for 30 s in vain.')
    Atomics.wait(asleep, 0, 0, 10)
  }
}

/** A process with a server, and with a client that counts the answers that it gets, in a file. */
async function startOthers() {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-proxy-'))
  const file = join(folder, 'answers')
  writeFileSync(file, '')
  const program = `
    const { connect, createServer } = require('node:net')
    const { appendFileSync } = require('node:fs')
    const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
    server.listen(0, '127.0.0.1', () => console.log(server.address().port))
    process.stdin.once('data', (port) => {
      const client = connect(Number(port), '127.0.0.1', () => client.write('x'))
      client.on('error', () => {}).on('data', () => {
        appendFileSync(process.argv[1], 'x')
        setTimeout(() => client.write('x'), 2)
      })
    })`
  const child = spawn(process.execPath, ['-e', program, file], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
    rmSync(folder, { recursive: true })
  })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    upstream: `127.0.0.1:${Number(String(port))}`,
    connectTo: (proxy: number) => void child.stdin.write(String(proxy)),
    answers: () => readFileSync(file).length,
  }
}

/** The worker thread of the next proxy. */
function nextThread(): Promise<Worker> {
  return new Promise((resolve) => process.once('worker', resolve))
}

/** Sends bytes by each of several clients, one after the other. Returns what each receives until its end. */
async function exchange({ attempt, proxy }: Scene, clients: number): Promise<readonly string[]> {
  const received: string[] = []
  for (let n = 0; n < clients; n += 1) {
    const client = attempt()
    client.socket.end('abcdefgh')
    await client.closed
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
    received.push(client.received().toString('hex'))
  }
  return received
}

it('carries bytes, and ends a fault with its lease, while this thread is blocked', async () => {
  const { upstream, connectTo, answers } = await startOthers()
  const proxy = await createProxy({ upstream, worker: true })
  onTestFinished(() => proxy.close())
  connectTo(proxy.port)
  blockUntil(() => answers() >= 5)
  const injection = await inForce(limitBandwidth({ bytesPerSecond: 0 }), proxy, { leaseMs: 400 })
  blockUntil(() => proxy.counters.downstream.bytesHeld > 0)
  const before = answers()
  // The thread is blocked from here on, also while the lease ends.
  blockUntil(() => answers() >= before + 5)
  expect(injection.outcome).toBe(undefined)
  const state = await injection.done
  expect(state).toMatchObject({ outcome: 'lease-expired', seen: 1, affected: 1, held: 0, failures: [] })
  expect(state.landedAt).toBeGreaterThanOrEqual(state.armedAt)
  expect(state.landedAt).toBeLessThanOrEqual(state.leaseEndsAt)
  expect(state.account).toEqual({ bytesIn: 1, bytesOut: 1, bytesDropped: 0, bytesHeld: 0 })
})

describe('the same seed', () => {
  const runs: readonly (readonly [string, Fault<ProxyTarget>])[] = [
    ['of a fault that damages bytes', corruptData({ byteRate: 0.2, stream: 'both' })],
    ['of a fault on new connections', refuseConnections()],
  ]
  it.each(runs)(
    'gives the same run in both homes: decisions, bytes, accounts and journal, %s',
    async (_what, fault) => {
      const run = async (options: object) => {
        const scene = await startScene(options)
        const hits: unknown[] = []
        const hear = (entry: JournalEntry): void => {
          if (entry.type === 'hit') hits.push([entry.id, entry.operation, entry.call])
        }
        const unfollow = journal.follow(hear)
        onTestFinished(unfollow)
        const how = { seed: 'same', rate: 0.5, skip: 2, limit: 6, only: '127.*', observe: true }
        const injection = await inForce(fault, scene.proxy, how)
        const received = await exchange(scene, 20)
        const { id, outcome, seen, affected, passed, account, observed } = await injection.rollback()
        unfollow()
        return { received, hits, id, outcome, seen, affected, passed, account, observed }
      }
      const [here, there] = [await run({}), await run({ worker: true })]
      expect(here).toMatchObject({ outcome: 'limit-spent', affected: 6 })
      expect(there).toEqual(here)
    },
  )
})

describe('an injection in a worker thread', () => {
  it('shows its counts without being asked, and at once when the proxy is read', async () => {
    const { proxy, connect } = await startScene({ worker: true })
    const injection = await inForce(delayData({ delayMs: 0, stream: 'both' }), proxy)
    const client = await connect()
    client.socket.write('hello')
    await client.receives(5)
    expect(proxy.counters.upstream.bytesIn).toBe(5)
    expect([injection.account['bytesIn'], injection.held]).toEqual([10, 1])
    client.socket.write('hello')
    await vi.waitFor(() => expect(injection.account['bytesOut']).toBe(20))
    client.socket.destroy()
    await vi.waitFor(() => expect(injection.held).toBe(0))
  })

  it('lands, and hits are journalled as they are made', async () => {
    const { proxy, attempt } = await startScene({ worker: true })
    const injection = await inForce(refuseConnections(), proxy)
    expect(injection.landedAt).toBe(undefined)
    const landed = new Promise<JournalEntry>((resolve) => {
      const hear = (entry: JournalEntry): void => {
        if (entry.type === 'hit') resolve(entry)
      }
      onTestFinished(journal.follow(hear))
    })
    attempt()
    expect(await landed).toMatchObject({ id: injection.id, operation: '127.0.0.1', call: 1 })
    expect([injection.seen, injection.affected]).toEqual([1, 1])
    expect(injection.landedAt).toBeGreaterThanOrEqual(injection.armedAt)
  })

  it('is refused with a predicate, and leaves nothing', async () => {
    const { proxy } = await startScene({ worker: true })
    await expect(inject(dropData(), proxy, { only: () => true })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining('`only` cannot be a predicate. Pass names or globs.') as string,
    })
    expect(proxy.toxics()).toEqual([])
  })

  it('ends when its lease has ended there, and follows one that is prolonged here', async () => {
    const { proxy } = await startScene({ worker: true })
    // Here, no lease ends: this clock stands still.
    const clock = manualClock()
    const prolonged = await inForce(dropData(), proxy, { clock, leaseMs: 200 })
    expect(extendLease(prolonged.id, 60_000)).toBe(true)
    const other = await inForce(dropData(), proxy, { clock, leaseMs: 300 })
    expect((await other.done).outcome).toBe('lease-expired')
    expect(prolonged.outcome).toBe(undefined)
    expect(proxy.toxics().map(({ id }) => id)).toEqual([prolonged.id])
  })

  it('ends with a rollback, which waits for the other thread', async () => {
    const { proxy, connect } = await startScene({ worker: true })
    const client = await connect()
    const injection = await inForce(delayData({ delayMs: 100_000 }), proxy)
    client.socket.write('x')
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(1))
    const state = await injection.rollback()
    expect(state.account).toEqual({ bytesIn: 1, bytesOut: 1, bytesDropped: 0, bytesHeld: 0 })
    expect(proxy.toxics()).toEqual([])
    await client.receives(1)
  })

  it('obeys a controller that may inject in an environment of its own', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    vi.stubEnv('CHAOS_ALLOW_ENVIRONMENT', 'staging')
    const { proxy, connect } = await startScene({ worker: true })
    const chaos = createChaos({ environment: 'staging', allowEnvironments: ['staging'] })
    onTestFinished(() => chaos.close())
    chaos.target('redis', proxy, [delayData])
    const injection = (await chaos.controller.inject('redis', 'proxy/delay-data', { delayMs: 100_000 })) as Injection
    const client = await connect()
    client.socket.write('x')
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(1))
    expect((await chaos.stopAll()).stopped).toMatchObject([{ outcome: 'stopped', account: { bytesOut: 1 } }])
    await client.receives(1)
  })
})

it('refuses an option that is no data, by its name', async () => {
  const options = { upstream: 'a:1', other: { at: () => 1 } }
  await expect(WorkerProxy.start('redis', options)).rejects.toMatchObject({
    code: 'CHAOS_INVALID_OPTION',
    message: expect.stringContaining('The option `other` of createProxy cannot be sent to the worker thread') as string,
  })
})

describe('a thread that ends', () => {
  it('closes the connections and the proxy, and ends the injections, which say so', async () => {
    const started = nextThread()
    const { proxy, connect } = await startScene({ worker: true, name: 'redis' })
    const thread = await started
    const client = await connect()
    const injection = await inForce(delayData({ delayMs: 100_000 }), proxy)
    await thread.terminate()
    const why = 'The worker thread of the proxy redis has ended (exit code 1). Its connections are closed.'
    expect(await injection.done).toMatchObject({
      outcome: 'failed',
      failures: [expect.stringContaining(why) as string],
    })
    await vi.waitFor(() => expect(client.events.length).toBeGreaterThan(0))
    expect(proxy.enabled).toBe(false)
    const closed = expect.objectContaining({
      code: 'CHAOS_PROXY_CLOSED',
      message: expect.stringContaining(why) as string,
    }) as unknown
    expect(() => proxy.counters).toThrow(closed)
    expect(() => proxy.reconsider(injection.id)).toThrow(closed)
    await expect(proxy.enable()).rejects.toEqual(closed)
    await expect(inject(dropData(), proxy)).rejects.toEqual(closed)
    await proxy.close()
  })
})

describe('a proxy that is forgotten', () => {
  const begin = (code: string) => {
    const program = `import { createProxy } from '@chaos/proxy'
      ${code}`
    const cwd = fileURLToPath(new URL('../../..', import.meta.url))
    const argv = ['--input-type=module', '-e', program]
    return spawnSync(process.execPath, argv, { cwd, encoding: 'utf8', timeout: 50_000 })
  }

  it.each(HOMES)('keeps the process alive while it listens, and not when it is disabled, in %s', (_home, options) => {
    const make = `const proxy = await createProxy(${JSON.stringify({ upstream: '127.0.0.1:1', ...options })})`
    const listening = begin(`${make}
      setTimeout(() => { console.log('alive'); process.exit() }, 100).unref()`)
    expect(listening).toMatchObject({ status: 0, stdout: 'alive\n', stderr: '' })
    const disabled = begin(`${make}
      await proxy.disable()
      console.log('disabled')`)
    expect(disabled).toMatchObject({ status: 0, stdout: 'disabled\n', stderr: '' })
  })
})
