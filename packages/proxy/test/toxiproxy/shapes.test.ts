import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { dialect } from './dialect.js'
import { deletedAtEnd, makeProxy, newName, startScene } from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()
const upstream = '127.0.0.1:1'

const zeros: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ['latency', { latency: 0, jitter: 0 }],
  ['bandwidth', { rate: 0 }],
  ['slow_close', { delay: 0 }],
  ['timeout', { timeout: 0 }],
  ['reset_peer', { timeout: 0 }],
  ['limit_data', { bytes: 0 }],
  ['noop', {}],
  ...(dialect.refuses['average size below 1']
    ? []
    : [['slicer', { average_size: 0, size_variation: 0, delay: 0 }] as const]),
]

describe('a proxy', () => {
  it('has a name, a listen address, an upstream, a state and toxics', async () => {
    expect(await makeProxy(api, { upstream })).toMatchObject({
      name: expect.any(String) as string,
      listen: expect.any(String) as string,
      upstream,
      enabled: true,
      toxics: [],
    })
  })

  it.each(['localhost:0', '127.0.0.1:0'])('that listens at %s answers the resolved address', async (listen) => {
    const { listen: resolved } = await makeProxy(api, { listen })
    expect(resolved).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
  })

  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
  it.runIf(hasIpv6)('that listens at an IPv6 address answers it in brackets', async () => {
    expect((await makeProxy(api, { listen: '[::1]:0' })).listen).toMatch(/^\[::1\]:[1-9]\d*$/)
  })

  it('that is disabled keeps the listen address as it was given', async () => {
    expect((await makeProxy(api, { listen: 'localhost:0', enabled: false })).listen).toBe('localhost:0')
  })

  it.each([undefined, null, ''])('without a listen address (%j) listens at the default one', async (listen) => {
    expect((await makeProxy(api, { listen })).listen).toMatch(dialect.defaultListen)
  })

  it('with toxics in its request has them if the server takes them', async () => {
    const { toxics } = await makeProxy(api, { toxics: [{ type: 'latency', attributes: { latency: 3 } }] })
    const expected = expect.objectContaining({
      name: 'latency_downstream',
      stream: 'downstream',
      toxicity: 1,
    }) as unknown
    expect(toxics).toEqual(dialect.takesToxicsAtCreation ? [expected] : [])
  })
})

describe('a toxic', () => {
  it('defaults to stream downstream, toxicity 1, and a name of its type and stream', async () => {
    const scene = await startScene(api)
    expect(await scene.add({ type: 'latency', attributes: { latency: 1 } })).toMatchObject({
      name: 'latency_downstream',
      type: 'latency',
      stream: 'downstream',
      toxicity: 1,
      attributes: { latency: 1, jitter: 0 },
    })
    expect(await scene.add({ type: 'latency', stream: 'upstream' })).toMatchObject({ name: 'latency_upstream' })
  })

  it.each(
    zeros.flatMap(([type, attributes]) => [undefined, null, {}].map((given) => [type, given, attributes] as const)),
  )('%s with attributes %j has zeros', async (type, given, attributes) => {
    const scene = await startScene(api)
    const toxic = await scene.add({ type, attributes: given })
    expect(toxic.attributes).toEqual(attributes)
  })

  it.each([
    ['latency', { latency: 1, jitter: 2 }],
    ['bandwidth', { rate: 3 }],
    ['slow_close', { delay: 4 }],
    ['timeout', { timeout: 5 }],
    ['reset_peer', { timeout: 6 }],
    ['slicer', { average_size: 100, size_variation: 20, delay: 10 }],
    ['limit_data', { bytes: 7 }],
  ])('%s answers the attributes as they were given', async (type, attributes) => {
    const scene = await startScene(api)
    expect((await scene.add({ type, attributes })).attributes).toEqual(attributes)
  })

  it.each(['Upstream', 'UPSTREAM', 'DownStream'])(
    'takes stream %s in any case, and answers it, and the name, as it was given',
    async (stream) => {
      const scene = await startScene(api)
      expect(await scene.add({ type: 'noop', stream })).toMatchObject({ stream, name: `noop_${stream}` })
      await scene.add({ type: 'noop', name: 'between', stream: 'upstream' })
      const listed = (await scene.call('GET', '/toxics')).json() as { name: string }[]
      const names = [`noop_${stream}`, 'between']
      expect(listed.map(({ name }) => name)).toEqual(stream.toLowerCase() === 'upstream' ? names : names.reverse())
    },
  )

  it.each([2, -1, 0, 0.25])('takes toxicity %d', async (toxicity) => {
    const scene = await startScene(api)
    expect(await scene.add({ type: 'noop', toxicity })).toMatchObject({ toxicity })
  })
})

describe('a request', () => {
  it('matches keys in any case', async () => {
    const name = newName()
    deletedAtEnd(api, name)
    const answer = await api.call('POST', '/proxies', { NAME: name, Listen: '127.0.0.1:0', upStream: upstream })
    expect(answer.status).toBe(201)
    expect(answer.json()).toMatchObject({ name, upstream })
    const toxic = await api.call('POST', `/proxies/${name}/toxics`, {
      TYPE: 'latency',
      Stream: 'upstream',
      ATTRIBUTES: { Latency: 4 },
    })
    expect(toxic.json()).toMatchObject({ stream: 'upstream', attributes: { latency: 4 } })
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])(
    'is read whatever its content type, such as %s',
    async (type) => {
      const name = newName()
      deletedAtEnd(api, name)
      const body = { name, listen: '127.0.0.1:0', upstream }
      expect((await api.call('POST', '/proxies', body, { 'content-type': type })).status).toBe(201)
    },
  )

  it.each([' trailing text', '{"name":"other"}', '}'])('ignores `%s` after the first JSON value', async (rest) => {
    const name = newName()
    deletedAtEnd(api, name)
    const body = `${JSON.stringify({ name, listen: '127.0.0.1:0', upstream })}${rest}`
    const answer = await api.call('POST', '/proxies', body)
    expect([answer.status, answer.json()]).toEqual([201, expect.objectContaining({ name })])
  })
})
