import { EventEmitter, once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createNetServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { createChaos, inject, target, withScope, type ChaosController, type JournalEntry } from '@chaos/core'
import { defineFault, openScope, runInScope, scopeOfMember } from '@chaos/core/authoring'
import { manualClock } from '@chaos/core/testing'
import { ask, dropEvents, isEnd, mounted, nextEntry, privateFolder, testChaos, TOKEN } from '../../test/support.js'
import { MAX_STREAMS } from '../api/event-stream.js'
import { openSocket } from '../endpoints/unix-socket.js'
import type { Address } from './address.js'
import { connect } from './connect.js'
import type { ControlClient } from './control-client.js'

async function connected(address: Address, options: Parameters<typeof connect>[1] = {}): Promise<ControlClient> {
  const client = await connect(address, options)
  onTestFinished(() => client.close())
  return client
}

/** A server that is not a control endpoint, or a broken one. */
async function strange(listener: RequestListener, first?: string): Promise<UrlOf> {
  const server = createServer(listener)
  if (first !== undefined) new WebSocketServer({ server }).on('connection', (socket) => socket.send(first))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/chaos`, token: TOKEN }
}
interface UrlOf {
  readonly url: string
  readonly token: string
}

const HELLO = JSON.stringify({ type: 'hello', connection: 'x', info: { seed: '1', maxLeaseMs: 1 } })

/** Both ways in, since a client must not tell them apart. */
const ways: readonly (readonly [string, (controller: ChaosController) => Promise<Address>])[] = [
  ['a mounted endpoint', async (controller) => ({ url: `${(await mounted(controller)).url}/`, token: TOKEN })],
  [
    'a socket',
    async (controller) => {
      const endpoint = await openSocket(controller, { directory: join(privateFolder(), 's') })
      onTestFinished(() => endpoint.close())
      return { socketPath: endpoint.path }
    },
  ],
]

describe.each(ways)('a client of %s', (_name, open) => {
  it('says what the controller says', async () => {
    const { controller, chaos, bus } = testChaos()
    const client = await connected(await open(controller))
    await chaos.inject('bus', 'drop-events', { echo: true }, { only: ['a', 'b*'] })
    bus.emit('b1')
    await chaos.inject('bus', 'drop-events').then((injection) => injection.rollback())
    const before = await controller.info()
    const { now, ...info } = await client.info()
    const after = await controller.info()
    expect({ now: before.now, ...info }).toEqual(before)
    expect(now).toBeGreaterThanOrEqual(before.now ?? Number.NaN)
    expect(now).toBeLessThanOrEqual(after.now ?? Number.NaN)
    expect(await client.targets()).toEqual(await controller.targets())
    expect(await client.faults()).toEqual(await controller.faults())
    expect(await client.injections()).toEqual(await controller.injections())
    expect(await client.injections()).toMatchObject([{ account: { dropped: 0 } }, { account: { dropped: 1 } }])
  })

  it('mints a scope with the key of the process, and breaks what is done in it', async () => {
    const { controller, bus } = testChaos()
    const client = await connected(await open(controller))
    const { id, header, expiresAt } = await client.mintScope({ name: 'checkout', lifetimeMs: 60_000 })
    await client.inject('bus', 'drop-events', {}, { scope: id })
    const scope = scopeOfMember(header)
    expect(scope).toMatchObject({ id: expect.stringMatching(/^checkout-/) as string, expiresAt })
    const heard: string[] = []
    bus.on('tick', (of: string) => heard.push(of))
    if (scope !== undefined) runInScope(scope, () => bus.emit('tick', 'in the scope'))
    bus.emit('tick', 'in none')
    expect(heard).toEqual(['in none'])
    await expect(client.mintScope({ lifetimeMs: 1e9 })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining('Expected `lifetimeMs` of POST /scopes to be a number of ms') as string,
    })
  })

  it('injects for a predicate on requests, and learns of a typo in it', async () => {
    const { controller, bus } = testChaos()
    const client = await connected(await open(controller))
    const state = await client.inject(
      'bus',
      'drop-events',
      {},
      { scope: { route: 'GET /items/*', user: ['a*', 'bob'] } },
    )
    expect(state.scope).toBe('{ route: GET /items/*, user: a* or bob }')
    const heard: string[] = []
    bus.on('tick', (of: string) => heard.push(of))
    for (const user of ['alice', 'bob', 'carol'])
      runInScope(openScope('GET /items/7', { route: 'GET /items/7', attributes: { user } }), () =>
        bus.emit('tick', user),
      )
    expect(heard).toEqual(['carol'])
    await expect(client.inject('bus', 'drop-events', {}, { scope: { rout: 'GET /' } as never })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining('without "rout". Did you mean "route"?') as string,
    })
  })

  it('injects, stops and stops all, with every option that JSON can carry', async () => {
    const { controller, bus } = testChaos()
    const client = await connected(await open(controller))
    const made = await client.inject(
      'bus',
      'drop-events',
      { echo: false },
      {
        leaseMs: 5_000,
        rate: 1,
        limit: 9,
        limitPerOperation: 8,
        skip: 1,
        every: 1,
        only: ['tick'],
        scope: 'order 7',
        seed: 's',
        id: 'a/b c'.replace(' ', '-'),
      },
    )
    expect(made).toMatchObject({
      id: 'a/b-c',
      options: { echo: false },
      leaseMs: 5_000,
      seed: 's',
      scope: 'order 7',
      status: 'active',
      outcome: undefined,
    })
    expect(Object.keys(made)).toContain('landedAt')
    const hit = nextEntry(client, ({ type }) => type === 'hit')
    bus.emit('tick')
    withScope('order 7', () => {
      for (let sent = 0; sent < 3; sent += 1) bus.emit('tick')
    })
    expect(await hit).toMatchObject({ operation: 'tick', call: 2, scope: 'order 7' })
    expect(await client.stop(made.id)).toMatchObject({ outcome: 'stopped', seen: 3, affected: 2 })
    await client.inject('bus', 'drop-events')
    expect((await client.stopAll()).stopped).toMatchObject([{ fault: 'test/drop-events', outcome: 'stopped' }])
    expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
  })

  it('ends everything in the process, also what others put in force', async () => {
    const mine = testChaos()
    const other = testChaos()
    const client = await connected(await open(mine.controller))
    const theirs = await other.chaos.inject('bus', 'drop-events')
    const bare = await inject(dropEvents(), new EventEmitter())
    await client.stopAll()
    expect([theirs.status, bare.status]).toEqual(['ended', 'ended'])
  })

  it('turns what failed there into the same error here', async () => {
    const { controller } = testChaos({ maxLeaseMs: 1_000 })
    const client = await connected(await open(controller))
    const attempts: readonly ((of: ChaosController) => Promise<unknown>)[] = [
      (of) => of.inject('bsu', 'drop-events'),
      (of) => of.inject('bus', 'drop-evnets'),
      (of) => of.inject('bus', 'drop-events', { ehco: true }),
      (of) => of.inject('bus', 'drop-events', {}, { rate: 2 }),
      (of) => of.inject('bus', 'drop-events', {}, { leaseMs: 2_000 }),
      (of) => of.stop('nothing'),
      (of) => of.check('bsu', 'drop-events'),
      (of) => of.check('bus', 'drop-events', { ehco: true }),
      (of) => of.check('bus', 'drop-events', {}, { rate: 2 }),
      (of) => of.check('bus', 'drop-events', {}, { leaseMs: 2_000 }),
    ]
    for (const attempt of attempts) {
      const [here, there] = await Promise.all(
        [attempt(client), attempt(controller)].map((one) =>
          one.then(
            () => undefined,
            (error: unknown) => error as Error & { code: string },
          ),
        ),
      )
      expect(there?.code).toMatch(/^CHAOS_/)
      expect(here).toMatchObject({ name: 'ChaosError', code: there?.code })
      // The check of the body names the request; everything else is word for word the controller's.
      expect(here?.message.replace(/POST \/(injections|checks)/, 'inject')).toBe(there?.message)
    }
    await expect(client.inject('bus', 'fail')).rejects.toMatchObject({
      code: 'CHAOS_INTERNAL_ERROR',
      message: expect.stringContaining('TypeError: not today') as string,
    })
  })

  it('checks without arming, and refuses what only the process could take', async () => {
    const { controller, bus } = testChaos()
    const client = await connected(await open(controller))
    await client.check('bus', 'drop-events', { echo: true }, { rate: 0.5, hold: 'connection' })
    await expect(client.check('bus', 'drop-events', { echo: () => true })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining('to be JSON data') as string,
    })
    await expect(client.check('bus', 'drop-events', {}, { hold: 'forever' as 'lease' })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
    })
    expect(await controller.injections()).toEqual([])
    expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
  })

  it('hears of everything that led to an answer before it has the answer, as in process', async () => {
    const { controller, bus } = testChaos()
    const client = await connected(await open(controller))
    const heard: JournalEntry[] = []
    const stop = client.follow((entry) => heard.push(entry))
    const types = (): readonly string[] => heard.map(({ type }) => type)
    for (let round = 0; round < 10; round += 1) {
      const { id } = await client.inject('bus', 'drop-events', {}, { only: 'tick' })
      expect(types()).toEqual(['armed'])
      bus.emit('tick')
      const ended = await client.stop(id)
      expect(types()).toEqual(['armed', 'landed', 'hit', 'ended'])
      expect(heard.at(-1)).toMatchObject({ injection: ended })
      heard.length = 0
    }
    stop()
    await client.inject('bus', 'ring', { times: 1 })
    expect(heard).toEqual([])
    expect(client.droppedHits).toBe(0)
  })

  it('holds an injection until it closes, and has seen it end then', async () => {
    const { controller, bus } = testChaos()
    const client = await connected(await open(controller))
    await client.inject('bus', 'drop-events', {}, { hold: 'connection', id: 'held' })
    await client.inject('bus', 'drop-events', {}, { id: 'leased' })
    await Promise.all([client.close(), client.close()])
    await client.closed
    expect(await controller.injections()).toMatchObject([
      { id: 'held', status: 'ended', outcome: 'stopped' },
      { id: 'leased', status: 'active' },
    ])
    await controller.stopAll()
    expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
    await expect(client.info()).rejects.toMatchObject({ code: 'CHAOS_ENDPOINT_UNREACHABLE' })
  })

  it('leaves what is held by lease to its lease', async () => {
    const clock = manualClock()
    const { controller } = testChaos({ clock })
    const client = await connected(await open(controller))
    await client.inject('bus', 'drop-events', {}, { leaseMs: 3_000 })
    await client.close()
    await clock.advance(2_999)
    expect(await controller.injections()).toMatchObject([{ status: 'active' }])
    const ended = nextEntry(controller, isEnd())
    await clock.advance(1)
    expect(await ended).toMatchObject({ injection: { outcome: 'lease-expired' } })
  })

  it('arms many at once', async () => {
    const { controller, bus } = testChaos()
    const client = await connected(await open(controller))
    const made = await Promise.all(
      Array.from({ length: 30 }, () => client.inject('bus', 'drop-events', {}, { hold: 'connection' })),
    )
    expect(new Set(made.map(({ id }) => id)).size).toBe(30)
    await client.close()
    expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
  })

  it('takes the longest lease there is, and refuses what is none', async () => {
    const longest = 2 ** 31 - 1
    const client = await connected(await open(testChaos({ maxLeaseMs: longest }).controller))
    expect(await client.inject('bus', 'drop-events', {}, { leaseMs: longest })).toMatchObject({ leaseMs: longest })
    await expect(
      client.inject('bus', 'drop-events', {}, { leaseMs: '10s' as unknown as number }),
    ).rejects.toMatchObject({ code: 'CHAOS_INVALID_OPTION' })
  })

  it('refuses what JSON would lose', async () => {
    const client = await connected(await open(testChaos().controller))
    const lossy: readonly unknown[] = [
      Number.NaN,
      () => true,
      new Date(),
      1n,
      [Number.POSITIVE_INFINITY],
      { deep: Symbol('x') },
    ]
    for (const value of lossy)
      await expect(client.inject('bus', 'drop-events', { echo: value })).rejects.toThrow(
        /`options\.echo[^`]*` to be JSON data/,
      )
    await expect(client.inject('bus', 'drop-events', {}, { rate: Number.NaN })).rejects.toThrow('`rate`')
    await expect(client.inject('bus', 'drop-events', {}, { hold: 'conection' as 'lease' })).rejects.toThrow('`hold`')
  })
})

describe('the kill switch of a client', () => {
  it('works where no event stream is free, and where more requests came than may', async () => {
    const { controller, bus } = testChaos()
    const endpoint = await openSocket(controller, { directory: join(privateFolder(), 's') })
    onTestFinished(() => endpoint.close())
    for (let n = 0; n < MAX_STREAMS; n += 1) await connected({ socketPath: endpoint.path })
    const limited = await mounted(controller, { clock: manualClock(), maxRequestsPerSecond: 1 })
    expect((await ask(`${limited.url}/info`)).status).toBe(200)
    for (const address of [{ socketPath: endpoint.path }, { url: limited.url, token: TOKEN }]) {
      const client = await connected(address)
      await controller.inject('bus', 'drop-events')
      expect((await client.stopAll()).stopped).toHaveLength(1)
      const refused = { code: 'CHAOS_TOO_MANY_REQUESTS' }
      expect(() => client.follow(() => undefined)).toThrow(expect.objectContaining(refused))
      await expect(client.inject('bus', 'drop-events', {}, { hold: 'connection' })).rejects.toMatchObject(refused)
      await client.close()
      await client.closed
      await expect(client.info()).rejects.toMatchObject({ code: 'CHAOS_ENDPOINT_UNREACHABLE' })
    }
    expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
  })

  it('says which step did not settle, and does not give up before the process does', async () => {
    const clock = manualClock()
    const hanging = defineFault({
      name: 'test/hang-undo',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: 'anything', accepts: () => true },
      inject(_target: object, _options, context) {
        for (let step = 0; step < 2; step += 1)
          context.defer(function closeServer() {
            return new Promise<void>(() => undefined)
          })
      },
    })
    const chaos = createChaos({ environment: 'test', clock, targets: { it: target({}, [hanging]) } })
    const endpoint = await openSocket(chaos.controller, { directory: join(privateFolder(), 's') })
    onTestFinished(() => endpoint.close())
    const client = await connected({ socketPath: endpoint.path }, { clock })
    for (const stop of [(id: string) => client.stop(id), () => client.stopAll()]) {
      const { id } = await client.inject('it', 'hang-undo')
      const before = clock.pending
      const stopping = expect(stop(id)).rejects.toMatchObject({
        code: 'CHAOS_ROLLBACK_FAILED',
        message: expect.stringContaining('closeServer') as string,
      })
      await vi.waitFor(async () =>
        expect(await chaos.injections()).toContainEqual(expect.objectContaining({ id, status: 'ending' })),
      )
      expect(clock.pending).toBeGreaterThan(before)
      await clock.advance(5_000)
      await clock.advance(5_000)
      await stopping
    }
  })
})

describe('when the endpoint cannot be used', () => {
  const unreachable = (what: string) => ({
    code: 'CHAOS_ENDPOINT_UNREACHABLE',
    message: expect.stringContaining(what) as string,
  })

  it('says so, and what to check', async () => {
    const closed = await strange(() => undefined)
    await expect(connect({ socketPath: join(privateFolder(), 'none.sock') })).rejects.toMatchObject(
      unreachable('does not exist. Check that the process still runs'),
    )
    await expect(connect({ url: 'http://127.0.0.1:1/chaos', token: TOKEN })).rejects.toMatchObject(
      unreachable('refused the connection. Check that the app listens there'),
    )
    await expect(
      connect({ url: 'http://name.invalid/chaos', token: TOKEN }, { requestTimeoutMs: 5_000 }),
    ).rejects.toMatchObject({ code: 'CHAOS_ENDPOINT_UNREACHABLE' })
    await expect(
      connect(await strange((_req, res) => void res.writeHead(404).end('no such page'))),
    ).rejects.toMatchObject(unreachable('answered with status 404'))
    await expect(connect(await strange((_req, res) => void res.destroy()))).rejects.toMatchObject(
      unreachable('closed the connection'),
    )
    await expect(connect(await strange(() => undefined, '{"type":"welcome"}'))).rejects.toMatchObject(
      unreachable('sent an unknown first message'),
    )
    expect(closed.url).toContain('127.0.0.1')
  })

  it('knows a wrong token from a wrong place, and shows neither token', async () => {
    const { url } = await mounted(testChaos().controller)
    const refused = await connect({ url, token: 'another-token-just-as-long' }).then(
      () => expect.fail('let in'),
      (error: unknown) => error as Error,
    )
    expect(refused).toMatchObject({ code: 'CHAOS_UNAUTHORIZED' })
    expect(refused.message).not.toContain('another-token')
    const off = await mounted(testChaos({ environment: 'production' }).controller)
    await expect(connect({ url: off.url, token: TOKEN })).rejects.toMatchObject(
      unreachable('that chaos is switched on'),
    )
    await expect(connect({ url: url.replace('127.0.0.1', '127.0.0.2'), token: TOKEN })).rejects.toMatchObject({
      code: 'CHAOS_ENDPOINT_UNREACHABLE',
    })
  })

  it('gives a server only so much time, to connect and to answer', async () => {
    const clock = manualClock()
    const sockets = createNetServer()
    await new Promise<void>((resolve) => sockets.listen(0, '127.0.0.1', resolve))
    sockets.on('connection', (socket) => onTestFinished(() => void socket.destroy()))
    onTestFinished(() => void sockets.close())
    const mute = { url: `http://127.0.0.1:${(sockets.address() as AddressInfo).port}/chaos`, token: TOKEN }
    const connecting = connect(mute, { clock, requestTimeoutMs: 2_000 })
    const refused = expect(connecting).rejects.toMatchObject(unreachable('did not answer within 2000 ms'))
    await once(sockets, 'connection')
    await clock.advance(2_000)
    await refused

    const asked = vi.fn()
    const client = await connected(await strange(asked, HELLO), { clock, requestTimeoutMs: 2_000 })
    const waiting = expect(client.targets()).rejects.toMatchObject(
      unreachable('did not answer GET /targets within 2000 ms'),
    )
    await vi.waitFor(() => expect(asked).toHaveBeenCalled())
    await clock.advance(2_000)
    await waiting
  })

  it('gives up on a server that has fallen silent', async () => {
    const clock = manualClock()
    const client = await connected(await strange(() => undefined, HELLO), { clock, requestTimeoutMs: 60_000 })
    const waiting = expect(client.targets()).rejects.toMatchObject(unreachable('closed the connection'))
    await clock.advance(30_000)
    await client.closed
    await waiting
  })

  it('gives up on what it has asked when the server goes', async () => {
    const { controller } = testChaos()
    const endpoint = await openSocket(controller, { directory: join(privateFolder(), 's') })
    onTestFinished(() => endpoint.close())
    const client = await connected({ socketPath: endpoint.path })
    const armed = nextEntry(controller, ({ type }) => type === 'armed')
    const waiting = expect(client.inject('bus', 'arm-slowly')).rejects.toMatchObject({
      code: 'CHAOS_ENDPOINT_UNREACHABLE',
    })
    await armed
    await endpoint.close()
    await waiting
    await client.closed
  })

  it('does not take nonsense for an answer', async () => {
    for (const [status, body] of [
      [200, 'hello'],
      [200, '{"targets":1}'],
      [500, 'oops'],
      [502, '<html>'],
    ] as const) {
      const client = await connected(await strange((_req, res) => void res.writeHead(status).end(body), HELLO))
      await expect(client.targets(), body).rejects.toMatchObject({ code: 'CHAOS_ENDPOINT_UNREACHABLE' })
    }
  })

  it.each([
    [{ socketPath: '' }, 'socketPath'],
    [{ url: 'localhost:3000', token: TOKEN }, 'url'],
    [{ url: 'ws://localhost', token: TOKEN }, 'url'],
    [{ url: 'http://localhost', token: 'two words' }, 'token'],
    [{ url: 'http://localhost', token: undefined as unknown as string }, 'token'],
  ])('refuses the address %j', async (address, named) => {
    await expect(connect(address)).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining(`\`${named}\``) as string,
    })
  })
})

/** An endpoint whose every word a test says itself. */
async function scripted(options: Parameters<typeof connect>[1] = {}) {
  const log: string[] = []
  const { controller } = testChaos()
  const state = await controller
    .inject('bus', 'drop-events', {}, { id: 'one' })
    .then(() => controller.injections())
    .then(([one]) => one)
  const streams = new WebSocketServer({ noServer: true, autoPong: false })
  const server = createServer((req, res) => {
    log.push(`${String(req.method)} ${String(req.url)}`)
    req.resume().on('end', () => res.end(JSON.stringify(state)))
  })
  const stream = new Promise<WebSocket>((resolve) => {
    server.on('upgrade', (req, socket, head) =>
      streams.handleUpgrade(req, socket, head, (opened) => {
        opened.on('close', () => log.push('closed'))
        opened.send(HELLO)
        resolve(opened)
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const client = await connected(
    { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: TOKEN },
    options,
  )
  return { client, log, state, stream: await stream }
}

describe('the order of things', () => {
  it('is that an answer waits for the entries that were sent before it, however late they arrive', async () => {
    const { client, state, stream } = await scripted()
    stream.on('ping', (data: Buffer) => {
      stream.send(JSON.stringify({ type: 'entry', entry: { type: 'armed', at: 1, injection: state } }))
      stream.pong(data)
    })
    const heard = vi.fn()
    client.follow(heard)
    await client.inject('bus', 'drop-events')
    expect(heard).toHaveBeenCalledTimes(1)
  })

  it('is that an answer is given all the same when the stream ends meanwhile', async () => {
    const { client, stream } = await scripted()
    stream.on('ping', () => stream.terminate())
    client.follow(() => undefined)
    expect(await client.inject('bus', 'drop-events')).toMatchObject({ id: 'one' })
    await client.closed
  })

  it('is that a client ends what it holds before it disconnects', async () => {
    const { client, log } = await scripted()
    await client.inject('bus', 'drop-events', {}, { hold: 'connection' })
    await client.close()
    await vi.waitFor(() => expect(log).toEqual(['POST /injections', 'DELETE /injections/one', 'closed']))
  })

  it('is that a server which asks from time to time is not taken for silent', async () => {
    const clock = manualClock()
    const { client, stream } = await scripted({ clock })
    let gone = false
    void client.closed.then(() => (gone = true))
    for (let asked = 0; asked < 3; asked += 1) {
      await clock.advance(20_000)
      expect(gone).toBe(false)
      const answered = once(stream, 'pong')
      stream.ping()
      await answered
    }
    await clock.advance(30_000)
    await client.closed
  })
})

it('hears what the app says of itself, in order with what happens', async () => {
  const { controller, chaos } = testChaos()
  const { url, handler } = await mounted(controller)
  const client = await connected({ url, token: TOKEN })
  const heard: unknown[] = []
  client.follow(({ type }) => heard.push(type))
  const stop = client.onAppEvent((event) => heard.push(event))
  await chaos.inject('bus', 'ring', { times: 1 })
  handler.notify('alert', { alert: 'HighLatency', value: 0.3 })
  await vi.waitFor(() =>
    expect(heard).toEqual([
      'armed',
      'landed',
      'ended',
      { topic: 'alert', at: expect.any(Number) as number, data: { alert: 'HighLatency', value: 0.3 } },
    ]),
  )
  stop()
  handler.notify('alert', {})
  await client.inject('bus', 'ring', { times: 1 })
  expect(heard).toHaveLength(7)
})

it('hands an entry to every follower although one throws, and does not swallow what it threw', async () => {
  const { controller } = testChaos()
  const { url } = await mounted(controller)
  const client = await connected({ url, token: TOKEN })
  const thrown = vi.fn()
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', thrown)
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of before) process.on('uncaughtException', listener)
  })
  const heard = vi.fn()
  client.follow(({ type }) => {
    if (type === 'armed') throw new Error('mine')
  })
  client.follow(heard)
  await client.inject('bus', 'ring', { times: 1 })
  expect(heard).toHaveBeenCalledTimes(3)
  expect(thrown).toHaveBeenCalledTimes(1)
})

it('says that a controller of several processes mints no scope', async () => {
  const { controller } = testChaos()
  const { mintScope: _mintScope, ...others } = controller
  const client = await connected({ url: (await mounted(others)).url, token: TOKEN })
  await expect(client.mintScope()).rejects.toMatchObject({
    code: 'CHAOS_INVALID_REQUEST',
    message: expect.stringContaining('Set `CHAOS_SCOPE_KEY`') as string,
  })
})
