import { describe, expect, it, vi } from 'vitest'
import { dialect } from './dialect.js'
import {
  connectClient,
  deletedAtEnd,
  makeProxy,
  makeUpstream,
  newName,
  portOf,
  startScene,
  type ProxyJson,
} from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()
const listen = '127.0.0.1:0'

describe('an update of a proxy', () => {
  it.each([{}, { enabled: null }, { listen: null, upstream: null }])(
    'with %j keeps what it does not name',
    async (body) => {
      const scene = await startScene(api)
      const client = await scene.connect()
      client.socket.write('a')
      await client.receives(1)
      const answer = await scene.call('PATCH', '', body)
      expect([answer.status, answer.json()]).toEqual([200, scene.proxy])
      client.socket.write('b')
      expect(String(await client.receives(2))).toBe('ab')
    },
  )

  it('keeps a disabled proxy disabled', async () => {
    const proxy = await makeProxy(api, { enabled: false })
    const answer = await api.call('PATCH', `/proxies/${proxy.name}`, { upstream: '127.0.0.1:2' })
    expect(answer.json()).toEqual({ ...proxy, upstream: '127.0.0.1:2' })
  })

  it('to the address that it has leaves connections alone', async () => {
    const scene = await startScene(api)
    const client = await scene.connect()
    client.socket.write('a')
    await client.receives(1)
    const { listen: resolved, upstream } = scene.proxy
    expect((await scene.call('POST', '', { listen: resolved, upstream, enabled: true })).json()).toEqual(scene.proxy)
    client.socket.write('b')
    expect(String(await client.receives(2))).toBe('ab')
  })

  it('to another upstream closes connections, keeps port and toxics, and connects to that one', async () => {
    const scene = await startScene(api)
    const toxic = await scene.add({ type: 'noop' })
    const client = await scene.connect()
    client.socket.write('a')
    await client.receives(1)
    const other = await makeUpstream((socket) => void socket.end('other'))
    const answer = await scene.call('PATCH', '', { upstream: other.address })
    expect(answer.json()).toEqual({ ...scene.proxy, upstream: other.address, toxics: [toxic] })
    client.socket.end()
    await client.closed
    expect(String(await (await scene.connect()).receives(5))).toBe('other')
  })

  it('to port 0 always moves to another port, and closes connections', async () => {
    const scene = await startScene(api)
    const toxic = await scene.add({ type: 'noop' })
    const client = await scene.connect()
    client.socket.write('a')
    await client.receives(1)
    const moved = (await scene.call('PATCH', '', { listen })).json() as ProxyJson
    expect(moved).toEqual({ ...scene.proxy, listen: moved.listen, toxics: [toxic] })
    expect(portOf(moved.listen)).not.toBe(portOf(scene.proxy.listen))
    client.socket.end()
    await client.closed
    await expect(scene.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const again = await connectClient(moved)
    again.socket.write('b')
    expect(String(await again.receives(1))).toBe('b')
  })

  it('to disabled refuses clients and ends live connections; enabled again, it has its port and toxics', async () => {
    const scene = await startScene(api)
    const toxic = await scene.add({ type: 'noop' })
    const client = await scene.connect()
    client.socket.write('a')
    await client.receives(1)
    const disabled = (await scene.call('PATCH', '', { enabled: false })).json()
    expect(disabled).toEqual({ ...scene.proxy, enabled: false, toxics: [toxic] })
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    await expect(scene.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const enabled = (await scene.call('PATCH', '', { enabled: true })).json()
    expect(enabled).toEqual({ ...scene.proxy, toxics: [toxic] })
    const again = await scene.connect()
    again.socket.write('b')
    expect(String(await again.receives(1))).toBe('b')
  })
})

describe('POST /populate', () => {
  const upstream = '127.0.0.1:1'

  it('makes nothing if one item is invalid', async () => {
    const name = newName()
    deletedAtEnd(api, name)
    const answer = await api.call('POST', '/populate', [{ name, listen, upstream }, { name: newName() }])
    expect(answer.status).toBe(400)
    expect((await api.call('GET', `/proxies/${name}`)).status).toBe(404)
  })

  it('stops at the first error of a socket, keeps the proxies before it, and answers them', async () => {
    const taken = await makeUpstream()
    const [first, second, third] = [newName(), newName(), newName()]
    for (const name of [first, second, third]) deletedAtEnd(api, name)
    const answer = await api.call('POST', '/populate', [
      { name: first, listen, upstream },
      { name: second, listen: taken.address, upstream },
      { name: third, listen, upstream },
    ])
    expect([answer.status, answer.json()]).toEqual([
      500,
      {
        error: `listen tcp ${taken.address}: bind: address already in use`,
        status: 500,
        proxies: [expect.objectContaining({ name: first, enabled: true })],
      },
    ])
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    const statuses = [first, second, third].map(async (name) => (await api.call('GET', `/proxies/${name}`)).status)
    expect(await Promise.all(statuses)).toEqual([200, 404, 404])
  })

  it('leaves a proxy alone that listens and connects to the same, with its toxics, though `enabled` differs', async () => {
    const scene = await startScene(api)
    const toxic = await scene.add({ type: 'noop' })
    const client = await scene.connect()
    client.socket.write('a')
    await client.receives(1)
    const { name, listen: resolved, upstream: same } = scene.proxy
    const answer = await api.call('POST', '/populate', [{ name, listen: resolved, upstream: same, enabled: false }])
    expect([answer.status, answer.json()]).toEqual([201, { proxies: [{ ...scene.proxy, toxics: [toxic] }] }])
    client.socket.write('b')
    expect(String(await client.receives(2))).toBe('ab')
  })

  it('replaces a proxy whose upstream differs: its connections are closed, its toxics lost', async () => {
    const scene = await startScene(api)
    await scene.add({ type: 'noop' })
    const client = await scene.connect()
    client.socket.write('a')
    await client.receives(1)
    const other = await makeUpstream((socket) => void socket.end('other'))
    const { name, listen: resolved } = scene.proxy
    const answer = await api.call('POST', '/populate', [{ name, listen: resolved, upstream: other.address }])
    expect(answer.json()).toEqual({ proxies: [{ ...scene.proxy, upstream: other.address, toxics: [] }] })
    client.socket.end()
    await client.closed
    expect(String(await (await scene.connect()).receives(5))).toBe('other')
  })
})

describe('an update of a toxic', () => {
  it('acts on live connections', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 'hold', type: 'bandwidth', attributes: { rate: 0 } })
    const client = await scene.connect()
    client.socket.write('held')
    await vi.waitFor(() => expect(scene.upstream.accepted[0]?.bytesRead).toBe(4))
    expect(client.received()).toHaveLength(0)
    await scene.call('PATCH', '/toxics/hold', { attributes: { rate: 1000 } })
    expect(String(await client.receives(4))).toBe('held')
  })

  it('that is refused half-way leaves the fields before the wrong one as the dialect says', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'latency', attributes: { latency: 1, jitter: 1 } })
    const body = '{"attributes":{"latency":7,"jitter":"x"}}'
    expect((await scene.call('PATCH', '/toxics/t', body)).status).toBe(400)
    const latency = dialect.updatesAtomically ? 1 : 7
    expect((await scene.call('GET', '/toxics/t')).json()).toMatchObject({ attributes: { latency, jitter: 1 } })
  })
})
