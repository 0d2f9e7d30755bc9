import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { journal } from '@chaos/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connectTo, startUpstream, type Client } from '../../test/tcp.js'
import { startToxiproxy, type ToxiproxyOptions } from './index.js'

interface Reply {
  readonly status: number
  readonly type: string | undefined
  readonly id: string | undefined
  readonly text: string
  readonly json: unknown
}

/** Starts a server, an upstream, and what a test needs to talk to both. */
async function start(options: ToxiproxyOptions = {}) {
  const upstream = await startUpstream()
  const server = await startToxiproxy({ seed: 'test', ...options })
  const clients: Client[] = []
  onTestFinished(async () => {
    for (const { socket } of clients) socket.destroy()
    await server.close()
    await upstream.close()
  })
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
      const asked = request(`${server.url}${path}`, { method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'],
            id: response.headers['x-toxiproxy-request-id'] as string | undefined,
            text: answer,
            json: /^[[{]/.test(answer) ? (JSON.parse(answer) as unknown) : undefined,
          })
        })
      })
      asked.on('error', reject)
      asked.end(text)
    })
  const connect = async (name: string): Promise<Client> => {
    const { listen } = (await send('GET', `/proxies/${encodeURIComponent(name)}`)).json as { listen: string }
    const client = await connectTo(Number(listen.split(':').pop()))
    clients.push(client)
    return client
  }
  const make = (name: string, more: object = {}): Promise<Reply> =>
    send('POST', '/proxies', { name, upstream: upstream.address, ...more })
  return { server, upstream, send, connect, make }
}

const failure = (status: number, error: string) => ({
  status,
  type: 'text/plain; charset=utf-8',
  text: `${JSON.stringify({ error, status })}\n`,
})

describe('the shapes and statuses of Toxiproxy', () => {
  it('creates, lists, shows, updates and deletes proxies', async () => {
    const { send, make, upstream } = await start()
    expect(await send('GET', '/proxies')).toMatchObject({ status: 200, type: 'application/json', json: {} })
    const made = await make('redis')
    const { listen } = made.json as { listen: string }
    expect(listen).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
    const redis = { name: 'redis', listen, upstream: upstream.address, enabled: true, toxics: [] }
    expect(made).toMatchObject({ status: 201, json: redis, id: expect.stringMatching(/^\w{20}$/) as string })
    expect((await send('GET', '/proxies')).json).toEqual({ redis })
    expect((await send('GET', '/proxies/redis')).json).toEqual(redis)
    for (const method of ['POST', 'PATCH'])
      expect(await send(method, '/proxies/redis', { enabled: method !== 'POST', name: 'x' })).toMatchObject({
        status: 200,
        json: { ...redis, enabled: method !== 'POST' },
      })
    expect(await send('DELETE', '/proxies/redis')).toMatchObject({ status: 204, text: '' })
    expect(await send('GET', '/proxies/redis')).toMatchObject(failure(404, 'proxy not found'))
  })

  it('creates, lists, shows, updates and deletes toxics', async () => {
    const { send, make } = await start()
    await make('redis')
    const path = '/proxies/redis/toxics'
    const latency = {
      attributes: { latency: 0, jitter: 0 },
      name: 'latency_DownStream',
      type: 'latency',
      stream: 'DownStream',
      toxicity: 1,
    }
    expect(await send('POST', path, { type: 'latency', stream: 'DownStream' })).toMatchObject({
      status: 200,
      json: latency,
    })
    await send('POST', path, { TYPE: 'timeout', stream: 'upstream', Attributes: { TimeOut: 5 }, name: null })
    const listed = (await send('GET', path)).json as { name: string }[]
    expect(listed.map(({ name }) => name)).toEqual(['timeout_upstream', 'latency_DownStream'])
    for (const method of ['POST', 'PATCH'])
      expect(
        await send(method, `${path}/latency_DownStream`, {
          attributes: { jitter: 3 },
          toxicity: 0.5,
          stream: 'upstream',
        }),
      ).toMatchObject({ status: 200, json: { ...latency, attributes: { latency: 0, jitter: 3 }, toxicity: 0.5 } })
    expect(await send('DELETE', `${path}/latency_DownStream`)).toMatchObject({ status: 204, text: '' })
    expect(await send('GET', `${path}/latency_DownStream`)).toMatchObject(failure(404, 'toxic not found'))
  })

  it('answers the version, and metrics only if asked for', async () => {
    const { send } = await start()
    expect(await send('GET', '/version')).toMatchObject({
      status: 200,
      type: 'application/json;charset=utf-8',
      text: '{"version": "2.12.0"}\n',
    })
    expect(await send('GET', '/metrics')).toMatchObject({ status: 404, text: '404 page not found\n' })
    const shown = await start({ proxyMetrics: true })
    await shown.make('re"dis')
    const client = await shown.connect('re"dis')
    client.socket.write('12345')
    await client.receives(5)
    expect((await shown.send('GET', '/metrics')).text).toMatch(
      /^toxiproxy_proxy_received_bytes_total\{direction="upstream",listener="127[^"]+",proxy="re\\"dis",upstream="127[^"]+"\} 5$/m,
    )
  })

  it('answers what is not routed, other methods, and browsers', async () => {
    const { send } = await start()
    expect(await send('GET', '/nothing')).toMatchObject({ status: 404, text: '404 page not found\n', id: undefined })
    expect(await send('GET', '/proxies/%ff')).toMatchObject({ status: 404 })
    for (const method of ['PUT', 'HEAD'])
      expect(await send(method, '/proxies')).toMatchObject({ status: 405, text: '' })
    expect(await send('GET', '/proxies', undefined, { 'user-agent': 'Mozilla/5.0' })).toMatchObject({
      status: 403,
      text: 'User agent not allowed\n',
    })
  })

  const bad = 'bad request body: '
  it.each([
    ['/proxies', '', 400, `${bad}EOF`],
    ['/proxies', '{"name": "x"', 400, `${bad}unexpected EOF`],
    ['/proxies', 'hello', 400, `${bad}invalid character 'h' looking for beginning of value`],
    [
      '/proxies',
      '{"name": 1}',
      400,
      `${bad}json: cannot unmarshal number into Go struct field Proxy.name of type string`,
    ],
    ['/proxies', '{}', 400, 'missing required field: name'],
    ['/proxies', '{"name": "x"}', 400, 'missing required field: upstream'],
    ['/proxies', '{"name": "redis", "upstream": "a:1"} and more', 409, 'proxy already exists'],
    [
      '/proxies',
      '{"name": "x", "upstream": "a:1", "listen": "nothing"}',
      500,
      'listen tcp: address nothing: missing port in address',
    ],
    ['/proxies/none', '', 404, 'proxy not found'],
    ['/proxies/none/toxics', '', 404, 'proxy not found'],
    ['/proxies/redis/toxics/none', '', 404, 'toxic not found'],
    [
      '/proxies/redis/toxics',
      '{"stream": "", "type": "down"}',
      400,
      'stream was invalid, can be either upstream or downstream',
    ],
    ['/proxies/redis/toxics', '{"type": "down"}', 400, 'invalid toxic type'],
    ['/proxies/redis/toxics', '{"type": "constructor"}', 400, 'invalid toxic type'],
    ['/proxies/redis/toxics', '{"type": "latency", "attributes": {"latency": "x"}}', 409, 'toxic already exists'],
    [
      '/proxies/redis/toxics',
      '{"type": "latency", "name": "b", "attributes": {"latency": 1.5}}',
      400,
      `${bad}json: cannot unmarshal number 1.5 into Go struct field attributes.latency of type int64`,
    ],
    [
      '/proxies/redis/toxics',
      '{"type": "bandwidth", "attributes": {"rate": -1}}',
      400,
      'invalid attribute: expected rate to be at least 0, got -1',
    ],
    [
      '/proxies/redis/toxics',
      '{"type": "slicer"}',
      400,
      'invalid attribute: expected average_size to be at least 1, got 0',
    ],
    [
      '/proxies/redis/toxics',
      '{"type": "slicer", "attributes": {"average_size": 2, "size_variation": 3}}',
      400,
      'invalid attribute: expected size_variation to be at most average_size (2), got 3',
    ],
  ])('answers POST %s with the body %s by %i %s', async (path, body, status, error) => {
    const { send, make } = await start()
    await make('redis', { toxics: [{ type: 'latency' }] })
    expect(await send('POST', path, body)).toMatchObject(failure(status, error))
  })

  it('refuses a body that is too large, and goes on', async () => {
    const { send } = await start()
    expect(await send('POST', '/proxies', 'x'.repeat(1_048_577))).toMatchObject({ status: 413 })
    expect(await send('GET', '/proxies')).toMatchObject({ status: 200 })
  })

  it('names an address that is taken as Go does, and makes nothing', async () => {
    const { send, make } = await start()
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const listen = `127.0.0.1:${(other.address() as AddressInfo).port}`
    const taken = `listen tcp ${listen}: bind: address already in use`
    expect(await make('a', { listen })).toMatchObject(failure(500, taken))
    expect((await send('GET', '/proxies')).json).toEqual({})
    await make('b')
    const before = (await send('GET', '/proxies/b')).json
    expect(await send('PATCH', '/proxies/b', { listen, upstream: 'other:1' })).toMatchObject(failure(500, taken))
    expect((await send('GET', '/proxies/b')).json).toEqual(before)
    const off = (await send('PATCH', '/proxies/b', { enabled: false })).json
    expect(await send('PATCH', '/proxies/b', { listen, enabled: true })).toMatchObject(failure(500, taken))
    expect((await send('GET', '/proxies/b')).json).toEqual(off)
  })
})

describe('populate', () => {
  it('checks all proxies before it makes one', async () => {
    const { send, upstream } = await start()
    const body = [{ name: 'a', upstream: upstream.address }, { name: 'b' }]
    expect(await send('POST', '/populate', body)).toMatchObject({
      status: 400,
      type: 'application/json',
      json: { error: 'missing required field: upstream at proxy 2', status: 400, proxies: null },
    })
    expect((await send('GET', '/proxies')).json).toEqual({})
    expect(await send('POST', '/populate', [])).toMatchObject({ status: 201, json: { proxies: null } })
  })

  it('leaves a proxy alone that is the same, replaces another, and keeps what it made before an error', async () => {
    const { send, make, upstream } = await start()
    const made = (await make('a', { toxics: [{ type: 'latency' }], enabled: true })).json as { listen: string }
    const { listen } = made
    await send('PATCH', '/proxies/a', { enabled: false })
    const same = { name: 'a', upstream: upstream.address, listen: listen.replace('127.0.0.1', 'localhost') }
    const broken = { name: 'c', upstream: upstream.address, listen: 'nothing' }
    expect(await send('POST', '/populate', [same, { ...same, name: 'b', listen: null }, broken])).toMatchObject({
      status: 500,
      json: {
        error: 'listen tcp: address nothing: missing port in address',
        proxies: [
          { ...made, enabled: false },
          { name: 'b', enabled: true },
        ],
      },
    })
    expect(await send('POST', '/populate', [{ ...same, upstream: 'other:1' }])).toMatchObject({
      status: 201,
      json: { proxies: [{ name: 'a', listen, upstream: 'other:1', enabled: true, toxics: [] }] },
    })
  })

  it('keeps the proxy that it cannot replace', async () => {
    const { send, make, upstream, connect } = await start()
    await make('a', { toxics: [{ type: 'latency' }] })
    const before = (await send('GET', '/proxies/a')).json
    const other = { name: 'a', upstream: upstream.address, toxics: [{ type: 'down' }] }
    expect(await send('POST', '/populate', [other])).toMatchObject({ status: 400 })
    const taken = { name: 'a', upstream: upstream.address, listen: upstream.address }
    expect(await send('POST', '/populate', [taken])).toMatchObject({ status: 500 })
    expect((await send('GET', '/proxies/a')).json).toEqual(before)
    const client = await connect('a')
    client.socket.write('x')
    await client.receives(1)
  })
})

it('starts every proxy and ends every toxic at a reset', async () => {
  const { send, make } = await start()
  await make('a', { enabled: false, toxics: [{ type: 'latency' }, { type: 'noop', stream: 'both' }] })
  expect(await send('POST', '/reset')).toMatchObject({ status: 204, text: '' })
  expect((await send('GET', '/proxies/a')).json).toMatchObject({ enabled: true, toxics: [] })
})

it('keeps the given address of a disabled proxy, and resolves it when it listens', async () => {
  const { send, make } = await start()
  expect((await make('a', { enabled: false, listen: 'localhost:0' })).json).toMatchObject({ listen: 'localhost:0' })
  const { listen } = (await send('POST', '/proxies/a', { enabled: true })).json as { listen: string }
  expect(listen).toMatch(/^127\.0\.0\.1:[1-9]/)
})

it('refuses clients of a disabled proxy, closes its connections, and keeps its toxics and its port', async () => {
  const { send, make, connect } = await start()
  await make('a', { toxics: [{ type: 'latency' }] })
  const before = (await send('GET', '/proxies/a')).json as object
  const client = await connect('a')
  expect((await send('PATCH', '/proxies/a', { enabled: false })).json).toEqual({ ...before, enabled: false })
  await vi.waitFor(() => expect(client.events).toContain('end'))
  await expect(connect('a')).rejects.toThrow(/ECONNREFUSED/)
  expect((await send('PATCH', '/proxies/a', { enabled: true })).json).toEqual(before)
})

describe('toxics', () => {
  it.each([
    ['limit_data', { bytes: 3 }, '123', ['end']],
    ['reset_peer', {}, '', ['ECONNRESET', 'close']],
    ['slicer', { average_size: 1 }, '123456', []],
    ['bandwidth', { rate: 1_000 }, '123456', []],
    ['latency', { latency: 20, jitter: 5 }, '123456', []],
    ['slow_close', { delay: 60_000 }, '123456', []],
    ['packet_loss', { loss_rate: 1 }, '', []],
    ['corrupt', { rate: 1 }, undefined, []],
    ['noop', {}, '123456', []],
  ])('%s with %j does what it says', async (type, attributes, received, events) => {
    const { make, connect } = await start()
    await make('a', { toxics: [{ type, attributes }] })
    const client = await connect('a')
    client.socket.write('123456')
    if (received === undefined) {
      const bytes = await client.receives(6)
      expect([...bytes].filter((byte, at) => byte === '123456'.charCodeAt(at))).toEqual([])
    } else if (events.length > 0) await vi.waitFor(() => expect(client.events).toEqual(events))
    else await client.receives(received.length)
    if (received !== undefined) expect(client.received().toString()).toBe(received)
  })

  it.each([
    ['timeout', { timeout: 1 }],
    ['limit_time', { time: 1 }],
  ])('%s with %j ends a connection without data', async (type, attributes) => {
    const { make, connect } = await start()
    await make('a', { toxics: [{ type, attributes }] })
    const client = await connect('a')
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
  })

  it('closes a connection whose timeout is removed', async () => {
    const { send, make, connect } = await start()
    await make('a', { toxics: [{ type: 'timeout' }] })
    const client = await connect('a')
    client.socket.write('x')
    await send('DELETE', '/proxies/a/toxics/timeout_downstream')
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
  })

  it('delivers what a rate of 0 held, when it is removed', async () => {
    const { send, make, connect, upstream } = await start()
    await make('a', { toxics: [{ type: 'bandwidth', stream: 'upstream' }] })
    const client = await connect('a')
    client.socket.write('held')
    await vi.waitFor(async () => {
      const { json } = await send('GET', '/proxies/a/connections')
      expect(json).toMatchObject({ counters: { upstream: { bytesHeld: 4 } } })
    })
    expect(upstream.accepted).toHaveLength(1)
    await send('DELETE', '/proxies/a/toxics/bandwidth_upstream')
    expect((await client.receives(4)).toString()).toBe('held')
  })

  it('decides each connection once, from the seed, and keeps the decision over other edits', async () => {
    const run = async (seed: string | undefined, more: object = {}) => {
      const { send, make, connect } = await start(seed === undefined ? {} : { seed })
      await make('a', {
        toxics: [{ type: 'latency', toxicity: 0.5, name: 'slow', attributes: { latency: 1 }, ...more }],
      })
      for (let n = 0; n < 20; n += 1) {
        const client = await connect('a')
        client.socket.write('x')
        await client.receives(1)
      }
      const hit = async (): Promise<readonly number[]> => {
        const { connections } = (await send('GET', '/proxies/a/connections')).json as {
          connections: { ordinal: number; hits: string[] }[]
        }
        return connections.filter(({ hits }) => hits.includes('slow')).map(({ ordinal }) => ordinal)
      }
      return { hit, send, chosen: await hit() }
    }
    const { send, hit, chosen } = await run('one')
    expect((await run('one')).chosen).toEqual(chosen)
    expect((await run('other')).chosen).not.toEqual(chosen)
    expect((await run('other', { seed: 'one' })).chosen).toEqual(chosen)
    expect(chosen.length).toBeGreaterThan(2)
    expect(chosen.length).toBeLessThan(18)
    await send('POST', '/proxies/a/toxics', { type: 'noop' })
    await send('PATCH', '/proxies/a/toxics/slow', { attributes: { latency: 2 } })
    expect(await hit()).toEqual(chosen)
    await send('PATCH', '/proxies/a/toxics/slow', { toxicity: 0 })
    expect(await hit()).toEqual([])
  })

  it('changes nothing of a toxic by an update that fails', async () => {
    const { send, make } = await start()
    await make('a', { toxics: [{ type: 'latency', attributes: { latency: 1 } }] })
    const path = '/proxies/a/toxics/latency_downstream'
    expect(await send('PATCH', path, { attributes: { latency: 2, jitter: 'x' }, toxicity: 0.5 })).toMatchObject({
      status: 400,
    })
    expect((await send('GET', path)).json).toMatchObject({ attributes: { latency: 1, jitter: 0 }, toxicity: 1 })
  })

  it('makes a proxy with all its toxics or not at all', async () => {
    const { send, make } = await start()
    const noop = { type: 'noop' }
    const events: string[] = []
    onTestFinished(journal.follow(({ type }) => void events.push(type)))
    expect(await make('a', { toxics: [noop, noop] })).toMatchObject(failure(409, 'toxic already exists'))
    expect(await make('a', { toxics: [noop, { type: 'down' }] })).toMatchObject(failure(400, 'invalid toxic type'))
    expect((await send('GET', '/proxies')).json).toEqual({})
    expect(events).toEqual(['armed', 'ended'])
    expect(await make('a', { toxics: [noop] })).toMatchObject({
      status: 201,
      json: { toxics: [{ name: 'noop_downstream' }] },
    })
  })

  it('ends by itself at the end of its lease, and only if it has one', async () => {
    const { send, make } = await start({ maxLeaseMs: 60_000 })
    await make('a', { toxics: [{ type: 'noop', leaseMs: 5 }, { type: 'latency' }] })
    await vi.waitFor(async () => {
      const { json } = await send('GET', '/proxies/a/toxics')
      expect(json).toMatchObject([{ name: 'latency_downstream', leaseMs: 60_000 }])
      expect(json).toHaveLength(1)
    })
    expect(await send('POST', '/proxies/a/toxics', { type: 'noop', leaseMs: 60_001 })).toMatchObject(
      failure(400, 'invalid leaseMs: expected 1 to 60000, got 60001'),
    )
  })

  it('answers while a client does not read what a toxic lets through', async () => {
    const { send, make, upstream, connect } = await start()
    await make('a', { toxics: [{ type: 'latency' }] })
    const client = await connect('a')
    client.socket.pause()
    const [server] = await vi.waitFor(() => {
      expect(upstream.accepted).toHaveLength(1)
      return upstream.accepted
    })
    const bytes = Buffer.alloc(1_048_576)
    while (server?.write(bytes) === true || (server?.writableLength ?? 0) < 30_000_000) server?.write(bytes)
    await vi.waitFor(async () => {
      const { json } = await send('GET', '/proxies/a/connections')
      expect(
        (json as { connections: { downstream: { bytesHeld: number } }[] }).connections[0]?.downstream.bytesHeld,
      ).toBeGreaterThan(60_000)
    })
    expect(await send('POST', '/proxies/a/toxics', { type: 'bandwidth' })).toMatchObject({ status: 200 })
    expect(await send('DELETE', '/proxies/a/toxics/latency_downstream')).toMatchObject({ status: 204 })
    expect(await send('POST', '/reset')).toMatchObject({ status: 204 })
  })
})

it('reaches a proxy whose name has slashes, and one with a name that objects have', async () => {
  const { send, make } = await start()
  await make('a/b c')
  await make('__proto__')
  expect(Object.keys((await send('GET', '/proxies')).json as object)).toEqual(['__proto__', 'a/b c'])
  expect(await send('GET', '/proxies/a%2Fb%20c')).toMatchObject({ status: 200 })
  expect(await send('DELETE', '/proxies/a%2Fb%20c')).toMatchObject({ status: 204 })
})

it('makes one of two proxies of one name that are asked for at once', async () => {
  const { make } = await start()
  const statuses = (await Promise.all([make('a'), make('a')])).map(({ status }) => status)
  expect(statuses.sort()).toEqual([201, 409])
})
