import { connect as dial } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connectTo, startUpstream, type Client } from '../../test/tcp.js'
import { startToxiproxy, type ToxicBody, type ToxiproxyOptions } from './index.js'

/** A server with one proxy. */
async function start(options: ToxiproxyOptions = {}, toxics: readonly ToxicBody[] = []) {
  const upstream = await startUpstream()
  const server = await startToxiproxy({ seed: 'test', ...options })
  const clients: Client[] = []
  onTestFinished(async () => {
    for (const { socket } of clients) socket.destroy()
    await server.close()
    await upstream.close()
  })
  const { instance, proxy, port } = await server.createProxy({ name: 'p', upstream: upstream.address, toxics })
  const connect = async (): Promise<Client> => {
    const client = await connectTo(port)
    clients.push(client)
    return client
  }
  /** What becomes of a client that sends a byte. */
  const outcome = (): Promise<string> => {
    const socket = dial(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write('x')
    return new Promise((resolve) => {
      socket.on('data', () => resolve('answered')).on('end', () => resolve('end'))
      socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code))
    })
  }
  const path = `${server.url}/proxies/p`
  const toxicNames = async (): Promise<readonly string[]> =>
    ((await (await fetch(`${path}/toxics`)).json()) as { readonly name: string }[]).map(({ name }) => name)
  const send = async (method: string, below: string, body: unknown): Promise<readonly [number, unknown]> => {
    const answer = await fetch(path + below, { method, body: JSON.stringify(body) })
    return [answer.status, await answer.json()]
  }
  return { upstream, instance, proxy, connect, outcome, toxicNames, send }
}

describe('connections that fail while they open', () => {
  it('are refused, the first three of them', async () => {
    const { outcome, toxicNames, upstream } = await start({}, [{ type: 'refuse_connect', name: 'down', limit: 3 }])
    const outcomes: string[] = []
    for (let n = 0; n < 4; n += 1) outcomes.push(await outcome())
    expect(outcomes).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET', 'answered'])
    expect(upstream.accepted).toHaveLength(1)
    await vi.waitFor(async () => expect(await toxicNames()).toEqual([]))
  })

  it('hang until the toxic is removed', async () => {
    const { outcome, instance, upstream, proxy } = await start()
    const toxic = await instance.addToxic({ type: 'hang_connect' })
    const hanging = outcome()
    await vi.waitFor(() => expect(proxy.counters.upstream.bytesHeld).toBe(1))
    expect(upstream.accepted).toEqual([])
    await toxic.remove()
    expect(await hanging).toBe('answered')
  })

  it('are late', async () => {
    const { outcome } = await start({}, [{ type: 'slow_connect', attributes: { delay: 50 } }])
    const startedAt = performance.now()
    expect(await outcome()).toBe('answered')
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(49)
  })
})

it('lets all connections share a bandwidth', async () => {
  const { connect, proxy } = await start({}, [{ type: 'shared_bandwidth', attributes: { rate: 10 } }])
  const clients = await Promise.all([connect(), connect()])
  const startedAt = performance.now()
  for (const { socket } of clients) socket.write('x'.repeat(1_000))
  await Promise.all(clients.map(({ receives }) => receives(1_000)))
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(199)
  expect(proxy.toxics()).toMatchObject([{ options: { bytesPerSecond: 10_000, shared: true } }])
})

describe('the clients of a toxic', () => {
  it.each([
    [['127.0.0.1'], 'ECONNRESET'],
    [['10.0.*', '127.*'], 'ECONNRESET'],
    [['127.0.0.2', '10.*'], 'answered'],
    ['127.0.0.?', 'ECONNRESET'],
  ])('are those of %j: 127.0.0.1 is %s', async (only, expected) => {
    const { outcome, send } = await start()
    expect(await send('POST', '/toxics', { type: 'reset_peer', only })).toEqual([
      200,
      expect.objectContaining({ only: [only].flat(), name: 'reset_peer_downstream' }),
    ])
    expect(await outcome()).toBe(expected)
  })

  it.each([[7], [['']], [{ address: 'x' }], [['x'.repeat(1_001)]]])('are addresses: %j is refused', async (only) => {
    const { send } = await start()
    expect(await send('POST', '/toxics', { type: 'reset_peer', only })).toEqual([
      400,
      { status: 400, error: expect.stringMatching(/^invalid only: expected addresses/) as string },
    ])
  })
})

it('refuses a limit below 1', async () => {
  const { send } = await start()
  const error = 'invalid limit: expected at least 1, got 0'
  expect(await send('POST', '/toxics', { type: 'noop', limit: 0 })).toEqual([400, { status: 400, error }])
})

it('has no more toxics in force than its maximum, and gives back the place of one that has ended', async () => {
  const { instance, send } = await start({ maxToxics: 2 })
  const first = await instance.addToxic({ type: 'noop', name: 'a' })
  await instance.addToxic({ type: 'noop', name: 'b' })
  const error = 'there are 2 toxics, which is the maximum of this server; remove one first'
  expect(await send('POST', '/toxics', { type: 'noop', name: 'c' })).toEqual([429, { status: 429, error }])
  await first.remove()
  expect((await send('POST', '/toxics', { type: 'noop', name: 'c' }))[0]).toBe(200)
  expect((await send('POST', '/toxics', { type: 'bandwidth', name: 'd', attributes: { rate: -1 } }))[0]).toBe(400)
})

it('takes no empty upstream, at which every connection would end', async () => {
  const { send, outcome } = await start()
  const error = 'missing required field: upstream'
  expect(await send('PATCH', '', { upstream: '' })).toEqual([400, { status: 400, error }])
  expect(await outcome()).toBe('answered')
})
