import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { deletedAtEnd, makeProxy, newName, startScene } from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()
const upstream = '127.0.0.1:1'
const listen = '127.0.0.1:0'

describe('routes', () => {
  it('GET /proxies answers 200 and an object keyed by name', async () => {
    const proxy = await makeProxy(api)
    const answer = await api.call('GET', '/proxies')
    expect([answer.status, Array.isArray(answer.json())]).toEqual([200, false])
    expect(answer.json()).toHaveProperty([proxy.name], proxy)
  })

  it('POST /proxies answers 201 and the proxy', async () => {
    const name = newName()
    deletedAtEnd(api, name)
    const answer = await api.call('POST', '/proxies', { name, listen, upstream })
    expect(answer.status).toBe(201)
    expect(answer.json()).toMatchObject({ name, upstream, enabled: true, toxics: [] })
  })

  it.each([
    ['absent', undefined, true],
    ['null', null, true],
    ['true', true, true],
    ['false', false, false],
  ])('POST /proxies with enabled %s', async (_, enabled, expected) => {
    expect(await makeProxy(api, { enabled })).toMatchObject({ enabled: expected })
  })

  it('POST /proxies ignores unknown fields', async () => {
    const proxy = await makeProxy(api, { colour: 'red', Logger: {} })
    expect(proxy).not.toHaveProperty('colour')
  })

  it('POST /populate answers 201 and a list of the proxies', async () => {
    const items = [newName(), newName()].map((name) => ({ name, listen, upstream }))
    for (const { name } of items) deletedAtEnd(api, name)
    const answer = await api.call('POST', '/populate', items)
    expect(answer.status).toBe(201)
    expect(answer.json()).toEqual({
      proxies: items.map(({ name }) => expect.objectContaining({ name, upstream, enabled: true }) as unknown),
    })
  })

  it('POST /populate with an empty list answers null for the list', async () => {
    const answer = await api.call('POST', '/populate', [])
    expect([answer.status, answer.json()]).toEqual([201, { proxies: null }])
  })

  it('a request to a whole address, as a client sends it to an HTTP proxy, is that to its path', async () => {
    const proxy = await makeProxy(api)
    const { hostname, port } = new URL(api.url())
    const asked = get({ hostname, port, path: `http://localhost/proxies/${proxy.name}?a=b`, agent: false })
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    expect([answer.statusCode, await json(answer)]).toEqual([200, proxy])
  })

  it('GET /proxies/{proxy} answers 200 and the proxy', async () => {
    const proxy = await makeProxy(api)
    const answer = await api.call('GET', `/proxies/${proxy.name}`)
    expect([answer.status, answer.json()]).toEqual([200, proxy])
  })

  it.each(['POST', 'PATCH'])('%s /proxies/{proxy} answers 200 and ignores the name', async (method) => {
    const proxy = await makeProxy(api)
    const answer = await api.call(method, `/proxies/${proxy.name}`, { name: newName(), upstream: '127.0.0.1:2' })
    expect([answer.status, answer.json()]).toEqual([200, { ...proxy, upstream: '127.0.0.1:2' }])
  })

  it('DELETE /proxies/{proxy} answers 204 without a body', async () => {
    const proxy = await makeProxy(api)
    const answer = await api.call('DELETE', `/proxies/${proxy.name}`)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect((await api.call('GET', `/proxies/${proxy.name}`)).status).toBe(404)
  })

  it('DELETE /proxies/{proxy} closes the listener and live connections', async () => {
    const scene = await startScene(api)
    const client = await scene.connect()
    client.socket.write('x')
    await client.receives(1)
    await scene.call('DELETE', '')
    client.socket.end()
    await client.closed
    await expect(scene.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('GET /proxies/{proxy}/toxics answers 200 and an array: first upstream, then downstream, each in order', async () => {
    const scene = await startScene(api)
    expect([(await scene.call('GET', '/toxics')).status, (await scene.call('GET', '/toxics')).json()]).toEqual([
      200,
      [],
    ])
    for (const [name, stream] of [
      ['d1', 'downstream'],
      ['u1', 'upstream'],
      ['d0', 'downstream'],
      ['u0', 'upstream'],
    ])
      await scene.add({ name, type: 'noop', stream })
    const answer = await scene.call('GET', '/toxics')
    const order = ['u1', 'u0', 'd1', 'd0'].map((name) => expect.objectContaining({ name }) as unknown)
    expect([answer.status, answer.json()]).toEqual([200, order])
    expect((await scene.call('GET', '')).json()).toMatchObject({ toxics: order })
  })

  it('POST /proxies/{proxy}/toxics answers 200 and the toxic', async () => {
    const scene = await startScene(api)
    const answer = await scene.call('POST', '/toxics', { type: 'latency', attributes: { latency: 5 } })
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ type: 'latency', attributes: { latency: 5, jitter: 0 } })
  })

  it('GET /proxies/{proxy}/toxics/{toxic} answers 200 and the toxic', async () => {
    const scene = await startScene(api)
    const toxic = await scene.add({ name: 'slow', type: 'latency' })
    const answer = await scene.call('GET', '/toxics/slow')
    expect([answer.status, answer.json()]).toEqual([200, toxic])
  })

  it.each(['POST', 'PATCH'])(
    '%s /proxies/{proxy}/toxics/{toxic} answers 200, merges attributes, sets toxicity, ignores name, type and stream',
    async (method) => {
      const scene = await startScene(api)
      const toxic = await scene.add({ name: 'slow', type: 'latency', attributes: { latency: 1, jitter: 1 } })
      const answer = await scene.call(method, '/toxics/slow', {
        name: 'other',
        type: 'timeout',
        stream: 'upstream',
        toxicity: 0.5,
        attributes: { latency: 2 },
      })
      const changed = { ...toxic, toxicity: 0.5, attributes: { latency: 2, jitter: 1 } }
      expect([answer.status, answer.json()]).toEqual([200, changed])
      expect((await scene.call('GET', '/toxics')).json()).toEqual([changed])
    },
  )

  it('DELETE /proxies/{proxy}/toxics/{toxic} answers 204 without a body', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 'slow', type: 'latency' })
    const answer = await scene.call('DELETE', '/toxics/slow')
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect((await scene.call('GET', '/toxics')).json()).toEqual([])
  })

  it('GET /version answers 200 and a semantic version of at least 2.6.0, which clients parse', async () => {
    const answer = await api.call('GET', '/version')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json;charset=utf-8')
    expect(answer.text).toMatch(/^\{"version": "[^"]+"\}\n$/)
    const { version } = answer.json() as { version: string }
    expect(version).toMatch(/^\d+\.\d+\.\d+/)
    const [major = 0, minor = 0] = version.split('.').map(Number)
    expect(major * 1_000 + minor).toBeGreaterThanOrEqual(2_006)
  })

  it('GET /metrics answers 404 unless the server was started with metrics', async () => {
    expect((await api.call('GET', '/metrics')).status).toBe(404)
  })

  it.each([
    ['GET', '/proxies'],
    ['GET', '/version'],
    ['GET', '/proxies/nowhere'],
    ['POST', '/proxies'],
    ['POST', '/populate'],
    ['DELETE', '/proxies/nowhere/toxics/none'],
  ])('%s %s has a request id of its own in the header', async (method, path) => {
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const answer = await api.call(method, path, method === 'POST' ? '{' : undefined)
        return answer.headers.get('x-toxiproxy-request-id')
      }),
    )
    expect(ids).toEqual([expect.stringMatching(/./), expect.stringMatching(/./)])
    expect(new Set(ids).size).toBe(2)
  })
})
