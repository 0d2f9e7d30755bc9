import { describe, expect, it } from 'vitest'
import { Toxiproxy, ToxiproxyError, type Latency, type Proxy } from 'toxiproxy-node-client'
import { connectClient, deletedAtEnd, makeUpstream, newName } from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()
const listen = 'localhost:0'
const latency = { type: 'latency', name: 'slow', stream: 'upstream', toxicity: 0.5 } as const

/** A proxy that the client has made, before a server that answers with what it gets. */
async function createProxy(): Promise<Proxy> {
  const upstream = await makeUpstream()
  const name = newName()
  deletedAtEnd(api, name)
  return new Toxiproxy(api.url()).createProxy({ name, listen, upstream: upstream.address })
}

async function expectEcho(proxy: Proxy): Promise<void> {
  const client = await connectClient(proxy)
  client.socket.write('hello')
  expect(String(await client.receives(5))).toBe('hello')
}

describe('toxiproxy-node-client', () => {
  it('creates a proxy, which carries bytes', async () => {
    const proxy = await createProxy()
    expect(proxy.toJson()).toMatchObject({
      enabled: true,
      listen: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    })
    expect([proxy.getHost(), proxy.getPath()]).toEqual([api.url(), `${api.url()}/proxies/${proxy.name}`])
    await expectEcho(proxy)
  })

  it('gets one proxy and all proxies', async () => {
    const proxy = await createProxy()
    const toxiproxy = proxy.getToxiproxy()
    expect((await toxiproxy.get(proxy.name)).toJson()).toEqual(proxy.toJson())
    expect((await toxiproxy.getAll())[proxy.name]?.toJson()).toEqual(proxy.toJson())
  })

  it('populates', async () => {
    const upstream = await makeUpstream()
    const names = [newName(), newName()]
    for (const name of names) deletedAtEnd(api, name)
    const body = names.map((name) => ({ name, listen, upstream: upstream.address }))
    const proxies = await new Toxiproxy(api.url()).populate(body)
    expect(Object.keys(proxies)).toEqual(names)
    for (const proxy of Object.values(proxies)) await expectEcho(proxy)
  })

  it('disables a proxy, enables it, and moves it to another upstream', async () => {
    const proxy = await createProxy()
    const { listen: address, upstream } = proxy
    const disabled = await proxy.update({ enabled: false, listen: address, upstream })
    expect(disabled.enabled).toBe(false)
    await expect(connectClient(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect((await proxy.update({ enabled: true, listen: address, upstream })).toJson()).toEqual(proxy.toJson())
    await expectEcho(proxy)
    const other = await makeUpstream()
    const moved = await proxy.update({ enabled: true, listen: address, upstream: other.address })
    await expectEcho(moved)
    expect(other.accepted).toHaveLength(1)
  })

  it('removes a proxy', async () => {
    const proxy = await createProxy()
    await proxy.remove()
    await expect(connectClient(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const missing = proxy.getToxiproxy().get(proxy.name)
    await expect(missing).rejects.toBeInstanceOf(ToxiproxyError)
    await expect(missing).rejects.toThrow('Request failed with status code 404')
  })

  it('adds, gets, updates and removes a toxic', async () => {
    const proxy = await createProxy()
    const attributes = { latency: 20, jitter: 0 }
    const added = await proxy.addToxic<Latency>({ ...latency, attributes })
    expect(added.toJson()).toEqual({ ...latency, attributes })
    expect(added.getPath()).toBe(`${proxy.getPath()}/toxics/slow`)
    expect((await proxy.getToxic<Latency>('slow')).toJson()).toEqual(added.toJson())
    const changed = { ...latency, toxicity: 1, attributes: { latency: 30, jitter: 0 } }
    const updated = await added.update(changed)
    expect(updated.toJson()).toEqual(changed)
    const start = performance.now()
    await expectEcho(proxy)
    expect(performance.now() - start).toBeGreaterThanOrEqual(30)
    await updated.remove()
    await expect(proxy.getToxic('slow')).rejects.toThrow('Request failed with status code 404')
  })

  it.each([
    ['latency', { latency: 1, jitter: 1 }],
    ['bandwidth', { rate: 1_000 }],
    ['slow_close', { delay: 1 }],
    ['timeout', { timeout: 1 }],
    ['slicer', { average_size: 10, size_variation: 1, delay: 1 }],
    ['limit_data', { bytes: 1 }],
    ['reset_peer', { timeout: 1 }],
  ] as const)('adds a %s', async (type, attributes) => {
    const proxy = await createProxy()
    const toxic = await proxy.addToxic({ name: 't', type, stream: 'downstream', toxicity: 1, attributes })
    expect(toxic.toJson()).toEqual({ name: 't', type, stream: 'downstream', toxicity: 1, attributes })
  })

  it('lists down among the types, which the server refuses', async () => {
    const proxy = await createProxy()
    const added = proxy.addToxic({ name: 't', type: 'down', stream: 'downstream', toxicity: 1, attributes: {} })
    await expect(added).rejects.toThrow('Request failed with status code 400')
  })

  it('reads the version', async () => {
    const text = await new Toxiproxy(api.url()).getVersion()
    expect(JSON.parse(text)).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string })
  })

  it('resets', async () => {
    const proxy = await createProxy()
    const { listen: address, upstream } = proxy
    await proxy.addToxic({ ...latency, attributes: { latency: 1, jitter: 0 } })
    await proxy.update({ enabled: false, listen: address, upstream })
    await proxy.getToxiproxy().reset()
    expect((await proxy.getToxiproxy().get(proxy.name)).enabled).toBe(true)
    await expect(proxy.getToxic('slow')).rejects.toThrow('Request failed with status code 404')
    await expectEcho(proxy)
  })
})
