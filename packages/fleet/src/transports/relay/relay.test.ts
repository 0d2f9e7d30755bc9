import { cutConnections, hangConnections, refuseConnections, slowResponses } from '@chaos/adapter/net'
import { ChaosError, inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { hasPrograms } from '@chaos/test-servers'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { aPlan, anInstance, signedOf } from '../../../test/plans.js'
import { fleetOn, serverForTest } from '../../../test/redis.js'
import type { Ack, AgentTransport, RunView, Snapshot } from '../transport.js'
import { relayAgentTransport, type RelayAgentOptions } from './agent.js'
import { startRelay, type Relay, type RelayOptions } from './start-relay.js'

const unreachable = { name: 'ChaosError', code: 'CHAOS_FLEET_UNREACHABLE' }
const NOTHING: Snapshot = { isPermitted: false, epoch: 0, run: undefined }

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'chaos-relay-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An engine that answers as the test says. */
function engine(read: AgentTransport['read'] = () => Promise.resolve(NOTHING)) {
  const wakes = new Set<() => void>()
  return {
    read: vi.fn(read),
    ack: vi.fn((_run: string, _instance: string, _ack: Ack) => Promise.resolve()),
    onWake(listener: () => void) {
      wakes.add(listener)
      return () => void wakes.delete(listener)
    },
    wakes,
    close: vi.fn(() => Promise.resolve()),
  }
}

async function relayFor(transport: AgentTransport, options: Partial<RelayOptions> = {}): Promise<Relay> {
  const relay = await startRelay(transport, { path: join(folder(), 'relay.sock'), ...options })
  onTestFinished(() => relay.stop().catch(() => undefined))
  return relay
}

function agentOf(path: string, options: Partial<RelayAgentOptions> = {}): AgentTransport {
  const agent = relayAgentTransport({ path, ...options })
  onTestFinished(() => agent.close())
  return agent
}

/** A server of the test's own in place of a relay. */
async function inPlace(serve: (socket: net.Socket) => void): Promise<string> {
  const path = join(folder(), 'relay.sock')
  const sockets: net.Socket[] = []
  const server = net.createServer((socket) => {
    sockets.push(socket.on('error', () => undefined))
    serve(socket)
  })
  await once(server.listen(path), 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return path
}

const run = (fields: Partial<RunView> = {}): RunView => {
  const plan = aPlan()
  return { id: plan.runId, phase: 'active', epoch: 3, beat: 7, remainingMs: 5_000, signed: signedOf(plan), ...fields }
}

describe('a relay', () => {
  it('tells each process what the engine tells of it', async () => {
    const [one, two] = [anInstance(), anInstance()]
    const own = run()
    const transport = engine(({ id }) =>
      Promise.resolve(id === one.id ? { isPermitted: true, epoch: 3, run: own } : NOTHING),
    )
    const { path } = await relayFor(transport, { clock: manualClock() })
    const [first, second] = [agentOf(path), agentOf(path)]
    for (let round = 0; round < 2; round += 1) {
      expect(await first.read(one)).toEqual({ isPermitted: true, epoch: 3, run: own })
      expect(await second.read(two)).toEqual(NOTHING)
    }
    expect(transport.read.mock.calls.map(([instance]) => instance)).toEqual([one, two, one, two])
    const ack: Ack = { status: 'applied', hits: 3, evidence: [{ peer: 'one' }] }
    await first.ack(own.id, one.id, ack)
    expect(transport.ack.mock.calls).toEqual([[own.id, one.id, ack]])
  })

  it('tells of the lease that is left when it answers, also once that is over', async () => {
    const clock = manualClock(1_000)
    let answer: (snapshot: Snapshot) => void = () => undefined
    const transport = engine(() => new Promise((resolve) => (answer = resolve)))
    const agent = agentOf((await relayFor(transport, { clock })).path)
    for (const [tookMs, leftMs] of [
      [0, 5_000],
      [1_200, 3_800],
      [9_000, -4_000],
    ] as const) {
      const reading = agent.read(anInstance())
      await vi.waitFor(() => expect(transport.read).toHaveBeenCalledTimes(1))
      await clock.advance(tookMs)
      answer({ isPermitted: true, epoch: 3, run: run({ remainingMs: 5_000 }) })
      expect((await reading).run?.remainingMs).toBe(leftMs)
      transport.read.mockClear()
    }
  })

  it('keeps nothing: a read that fails upstream fails here, as it failed there', async () => {
    const failures = [
      new ChaosError('CHAOS_FLEET_FORBIDDEN', 'Redis refused.'),
      new ChaosError('CHAOS_FLEET_UNREACHABLE', 'Redis did not answer.'),
      new TypeError('a bug'),
    ]
    const transport = engine()
    const agent = agentOf((await relayFor(transport)).path)
    await agent.read(anInstance())
    for (const failure of failures) {
      transport.read.mockRejectedValueOnce(failure)
      transport.ack.mockRejectedValueOnce(failure)
      const code = failure instanceof ChaosError ? failure.code : 'CHAOS_FLEET_UNREACHABLE'
      const expected = { name: 'ChaosError', code, message: failure.message }
      await expect(agent.read(anInstance())).rejects.toMatchObject(expected)
      await expect(agent.ack('run', 'one', { status: 'ready' })).rejects.toMatchObject(expected)
    }
    expect(await agent.read(anInstance())).toEqual(NOTHING)
  })

  it('passes wakes on', async () => {
    const transport = engine()
    const { path } = await relayFor(transport)
    const agents = [agentOf(path), agentOf(path)]
    const woken = agents.map((agent) => {
      const listener = vi.fn()
      agent.onWake(listener)
      return listener
    })
    await vi.waitFor(() => {
      for (const wake of transport.wakes) wake()
      for (const listener of woken) expect(listener).toHaveBeenCalled()
    })
  })

  it('is missed by its processes when it stops, and found when it is back', async () => {
    const path = join(folder(), 'relay.sock')
    const agent = agentOf(path)
    await expect(agent.read(anInstance())).rejects.toMatchObject(unreachable)
    const never = engine(() => new Promise(() => undefined))
    const relay = await relayFor(never, { path })
    const reading = agent.read(anInstance())
    await vi.waitFor(() => expect(never.read).toHaveBeenCalled())
    await relay.stop()
    await expect(reading).rejects.toMatchObject(unreachable)
    await expect(agent.read(anInstance())).rejects.toMatchObject(unreachable)
    expect([never.wakes.size, never.close.mock.calls.length]).toEqual([0, 0])
    await relayFor(engine(), { path })
    expect(await agent.read(anInstance())).toEqual(NOTHING)
  })

  it('is given up when it hangs, for the next call to try again', async () => {
    const received: string[] = []
    const path = await inPlace((socket) => void socket.on('data', (chunk) => received.push(String(chunk))))
    const agent = agentOf(path, { timeoutMs: 100 })
    for (let round = 0; round < 2; round += 1)
      await expect(agent.read(anInstance())).rejects.toMatchObject({
        ...unreachable,
        message: expect.stringContaining('100 ms') as string,
      })
    // Each gave up at the latest after it had asked; what it asked may still be read.
    await vi.waitFor(() => expect(received.filter((text) => text.startsWith('{'))).toHaveLength(2))
  })

  it.each([
    ['an endless line', '{"id":1,"value":"'.padEnd(9_000_000, 'x')],
    ['no JSON', 'nonsense\n'],
    ['no answer', '[]\n'],
    ['no snapshot', '{"id":1,"value":{"isPermitted":"yes"}}\n'],
    ['nothing of what was asked', '{"id":1}\n'],
  ])('is not believed when it says %s', async (_what, text) => {
    const path = await inPlace((socket) => void socket.once('data', () => socket.write(text)))
    await expect(agentOf(path).read(anInstance())).rejects.toMatchObject(unreachable)
  })

  it('takes a run that makes no sense for none', async () => {
    const { signed: _signed, ...bare } = run()
    for (const wrong of [bare, run({ epoch: 0.5 }), { ...run(), phase: 'all' }, 7]) {
      const path = await inPlace(
        (socket) =>
          void socket.once('data', () =>
            socket.write(`${JSON.stringify({ id: 1, value: { isPermitted: true, epoch: 3, run: wrong } })}\n`),
          ),
      )
      expect(await agentOf(path).read(anInstance())).toEqual({ isPermitted: true, epoch: 3, run: undefined })
    }
  })

  it.each([
    ['an endless line', 'x'.repeat(600_000)],
    ['no JSON', 'nonsense\n'],
    ['no request', '{"id":1,"do":"open"}\n'],
    ['no instance', '{"id":1,"do":"read","instance":{"id":"one"}}\n'],
    ['no ack', '{"id":1,"do":"ack","runId":"run","instanceId":"one","ack":{"status":"fine"}}\n'],
    ['more than it may ask at once', `${JSON.stringify({ id: 1, do: 'read', instance: anInstance() })}\n`.repeat(17)],
  ])('tells a process that sends %s so, hangs up, and serves others', async (_what, text) => {
    const never = engine(() => new Promise(() => undefined))
    const { path } = await relayFor(never)
    const socket = net.connect({ path }).on('error', () => undefined)
    let told = ''
    socket.on('data', (chunk) => (told += String(chunk)))
    socket.write(text)
    await new Promise((resolve) => socket.on('close', resolve))
    expect(JSON.parse(told)).toMatchObject({ refusal: { code: 'CHAOS_INVALID_OPTION' } })
    never.read.mockResolvedValue(NOTHING)
    expect(await agentOf(path).read(anInstance())).toEqual(NOTHING)
  })

  it('listens where its user alone can connect, and nowhere else', async () => {
    const above = folder()
    const path = join(above, 'made', 'relay.sock')
    await relayFor(engine(), { path })
    expect([statSync(join(above, 'made')).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600])
    const refused = { code: 'CHAOS_SOCKET_DIRECTORY' }
    for (const mode of [0o755, 0o710, 0o701, 0o777]) {
      const open = join(above, String(mode))
      mkdirSync(open)
      chmodSync(open, mode)
      await expect(startRelay(engine(), { path: join(open, 'relay.sock') })).rejects.toMatchObject(refused)
    }
    symlinkSync(join(above, 'made'), join(above, 'link'))
    writeFileSync(join(above, 'file'), '')
    for (const place of ['link', 'file', 'no/such', 'x'.repeat(200)])
      await expect(startRelay(engine(), { path: join(above, place, 'relay.sock') })).rejects.toMatchObject(refused)
  })

  it('takes the place of one that was killed, and of none that lives', async () => {
    const { path } = await relayFor(engine())
    await expect(startRelay(engine(), { path })).rejects.toMatchObject({
      code: 'CHAOS_SOCKET_DIRECTORY',
      message: expect.stringContaining('another relay listens there') as string,
    })
    expect(await agentOf(path).read(anInstance())).toEqual(NOTHING)
    const stale = join(folder(), 'relay.sock')
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ])
    expect(statSync(stale).isSocket()).toBe(true)
    await relayFor(engine(), { path: stale })
    expect(await agentOf(stale).read(anInstance())).toEqual(NOTHING)
    const file = join(folder(), 'notes')
    writeFileSync(file, 'kept')
    await expect(startRelay(engine(), { path: file })).rejects.toMatchObject({ code: 'CHAOS_SOCKET_DIRECTORY' })
    expect(readFileSync(file, 'utf8')).toBe('kept')
  })

  it.each([
    ['are refused', () => inject(refuseConnections(), net)],
    ['hang', () => inject(hangConnections(), net)],
    ['are cut', () => inject(cutConnections(), net)],
    ['are slow', () => inject(slowResponses({ delayMs: 60_000 }), net)],
  ] as const)('serves its processes while connections %s', async (_what, start) => {
    const { path } = await relayFor(engine())
    const old = agentOf(path)
    await old.read(anInstance())
    const injection = await start()
    onTestFinished(async () => {
      await injection.rollback()
    })
    for (const agent of [old, agentOf(path)]) expect(await agent.read(anInstance())).toEqual(NOTHING)
  })

  it.runIf(hasPrograms('redis-server'))(
    'connects many processes to Redis as one (skipped without `redis-server`: Debian package redis-server)',
    async () => {
      const server = await serverForTest()
      const { agent: upstream, controller, witness } = fleetOn(server.port)
      const { path } = await relayFor(upstream)
      const processes = Array.from({ length: 40 }, () => ({ agent: agentOf(path), instance: anInstance() }))
      const readAll = () => Promise.all(processes.map(({ agent, instance }) => agent.read(instance)))
      const woken = vi.fn()
      processes[39]?.agent.onWake(woken)
      await controller.permit(60_000, 'ann', 'a test')
      await readAll()
      await vi.waitFor(() => expect(woken).toHaveBeenCalled())
      woken.mockClear()
      const plan = aPlan({ instances: processes.slice(0, 10).map(({ instance }) => instance.id) })
      await controller.open(signedOf(plan), plan, 'owner')
      await vi.waitFor(() => expect(woken).toHaveBeenCalled())
      for (let round = 0; round < 2; round += 1) {
        const runs = (await readAll()).map(({ run: found }) => found)
        expect(runs.filter((found) => found?.signed.text === signedOf(plan).text)).toHaveLength(10)
        expect(runs.slice(10)).toEqual(Array.from({ length: 30 }, () => undefined))
      }
      const connections = String(await witness.call('CLIENT', 'LIST')).match(/name=chaos-fleet:test /g)
      // The relay's, for commands and for wakes where ioredis cannot do both on one, and the controller's.
      expect(connections).toHaveLength(Reflect.get(witness.options, 'protocol') === 3 ? 2 : 3)
      await server.stop()
      await expect(processes[0]?.agent.read(anInstance())).rejects.toMatchObject(unreachable)
    },
  )
})
