import { describe, expect, it } from 'vitest'
import { makeProxy, makeUpstream, newName, startScene } from './scene.js'
import { serverUnderTest, type Answer } from './server.js'

const api = serverUnderTest()
const upstream = '127.0.0.1:1'
const listen = '127.0.0.1:0'
const invalidStream = 'stream was invalid, can be either upstream or downstream'
const badBody = expect.stringMatching(/^bad request body: ./) as string

/** Checks the shape that all errors but those of /populate have. */
function expectError(answer: Answer, status: number, error: string): void {
  expect([answer.status, answer.json()]).toEqual([status, { error, status }])
  expect(answer.text).toMatch(/\}\n$/)
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
}

describe('400', () => {
  it.each([
    ['text that is no JSON', '{', badBody],
    ['an empty body', '', badBody],
    ['a list', [], badBody],
    ['a name that is a number', { name: 1, upstream }, badBody],
    ['a state that is a text', { name: 'x', upstream, enabled: 'yes' }, badBody],
    ['no name', { upstream }, 'missing required field: name'],
    ['an empty name', { name: '', upstream }, 'missing required field: name'],
    ['no name and no upstream', {}, 'missing required field: name'],
    ['no upstream', { name: 'x' }, 'missing required field: upstream'],
    ['null for the upstream', { name: 'x', upstream: null }, 'missing required field: upstream'],
  ])('POST /proxies with %s', async (_, body, error) => {
    expectError(await api.call('POST', '/proxies', body), 400, error)
  })

  it.each([
    ['text that is no JSON', 'nonsense', badBody],
    ['an upstream that is a number', { upstream: 1 }, badBody],
    ['a state that is a number', { enabled: 1 }, badBody],
  ])('PATCH /proxies/{proxy} with %s, and changes nothing', async (_, body, error) => {
    const proxy = await makeProxy(api)
    expectError(await api.call('PATCH', `/proxies/${proxy.name}`, body), 400, error)
    expect((await api.call('GET', `/proxies/${proxy.name}`)).json()).toEqual(proxy)
  })

  it.each([
    ['text that is no JSON', '[', badBody],
    ['an empty stream', { type: 'noop', stream: '' }, invalidStream],
    ['an unknown stream', { type: 'noop', stream: 'sideways' }, invalidStream],
    ['an unknown type', { type: 'nonsense' }, 'invalid toxic type'],
    ['no type', {}, 'invalid toxic type'],
    ['the type down', { type: 'down' }, 'invalid toxic type'],
    ['a fraction', { type: 'latency', attributes: { latency: 1.5 } }, badBody],
    ['a text for a number', { type: 'latency', attributes: { latency: 'x' } }, badBody],
    ['attributes that are a text', { type: 'latency', attributes: 'x' }, badBody],
    ['a toxicity that is a text', { type: 'latency', toxicity: 'x' }, badBody],
  ])('POST /proxies/{proxy}/toxics with %s, and adds nothing', async (_, body, error) => {
    const scene = await startScene(api)
    expectError(await scene.call('POST', '/toxics', body), 400, error)
    expect((await scene.call('GET', '/toxics')).json()).toEqual([])
  })

  it.each([
    ['text that is no JSON', 'nonsense'],
    ['a fraction', { attributes: { latency: 2.5 } }],
    ['a text for a number', { attributes: { latency: 'x' } }],
    ['a toxicity that is a text', { toxicity: 'x' }],
  ])('PATCH /proxies/{proxy}/toxics/{toxic} with %s', async (_, body) => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'latency', attributes: { latency: 1 } })
    expectError(await scene.call('PATCH', '/toxics/t', body), 400, badBody)
    expect((await scene.call('GET', '/toxics/t')).json()).toMatchObject({ toxicity: 1, attributes: { latency: 1 } })
  })

  it.each([
    ['text that is no JSON', '[', badBody],
    ['an object', {}, badBody],
    [
      'no name in the second',
      [{ name: 'x', upstream, listen }, { upstream }],
      'missing required field: name at proxy 2',
    ],
    ['no upstream in the first', [{ name: 'x' }], 'missing required field: upstream at proxy 1'],
  ])('POST /populate with %s is JSON, and carries that no proxy was made', async (_, body, error) => {
    const answer = await api.call('POST', '/populate', body)
    expect([answer.status, answer.json()]).toEqual([400, { error, status: 400, proxies: null }])
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  })
})

describe('404', () => {
  it.each([
    ['GET', ''],
    ['POST', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['GET', '/toxics'],
    ['POST', '/toxics'],
    ['GET', '/toxics/t'],
    ['POST', '/toxics/t'],
    ['PATCH', '/toxics/t'],
    ['DELETE', '/toxics/t'],
  ])('%s /proxies/{unknown}%s, found before the body is read', async (method, below) => {
    const body = method === 'POST' || method === 'PATCH' ? 'no JSON' : undefined
    expectError(await api.call(method, `/proxies/${newName()}${below}`, body), 404, 'proxy not found')
  })

  it.each(['GET', 'POST', 'PATCH', 'DELETE'])(
    '%s /proxies/{proxy}/toxics/{unknown}, found before the body is read',
    async (method) => {
      const { name } = await makeProxy(api)
      const body = method === 'POST' || method === 'PATCH' ? 'no JSON' : undefined
      expectError(await api.call(method, `/proxies/${name}/toxics/none`, body), 404, 'toxic not found')
    },
  )

  it.each(['/', '/nowhere', '/proxies/a/b', '/proxies/a/toxics/b/c'])('GET %s is plain text', async (path) => {
    const answer = await api.call('GET', path)
    expect([answer.status, answer.text.trimEnd()]).toEqual([404, '404 page not found'])
  })
})

describe('405', () => {
  it.each([
    ['PUT', '/proxies'],
    ['PATCH', '/proxies'],
    ['DELETE', '/proxies'],
    ['HEAD', '/proxies'],
    ['GET', '/populate'],
    ['PUT', '/populate'],
    ['PUT', '/proxies/a'],
    ['HEAD', '/proxies/a'],
    ['PUT', '/proxies/a/toxics'],
    ['DELETE', '/proxies/a/toxics'],
    ['HEAD', '/proxies/a/toxics'],
    ['PUT', '/proxies/a/toxics/b'],
    ['HEAD', '/proxies/a/toxics/b'],
    ['GET', '/reset'],
    ['PUT', '/reset'],
    ['POST', '/version'],
    ['HEAD', '/version'],
  ])('%s %s has no body', async (method, path) => {
    const answer = await api.call(method, path)
    expect([answer.status, answer.text]).toEqual([405, ''])
  })
})

describe('409', () => {
  it('a second proxy of the same name', async () => {
    const proxy = await makeProxy(api)
    const answer = await api.call('POST', '/proxies', { name: proxy.name, listen, upstream })
    expectError(answer, 409, 'proxy already exists')
    expect((await api.call('GET', `/proxies/${proxy.name}`)).json()).toEqual(proxy)
  })

  it.each(['upstream', 'downstream'])('a second toxic of the same name, for stream %s', async (stream) => {
    const scene = await startScene(api)
    const toxic = await scene.add({ name: 't', type: 'noop', stream: 'downstream' })
    expectError(
      await scene.call('POST', '/toxics', { name: 't', type: 'latency', stream }),
      409,
      'toxic already exists',
    )
    expect((await scene.call('GET', '/toxics')).json()).toEqual([toxic])
  })
})

describe('500', () => {
  it('POST /proxies at a port in use', async () => {
    const taken = await makeUpstream()
    const name = newName()
    const answer = await api.call('POST', '/proxies', { name, upstream, listen: taken.address })
    expectError(answer, 500, `listen tcp ${taken.address}: bind: address already in use`)
    expect((await api.call('GET', `/proxies/${name}`)).status).toBe(404)
  })

  it('POST /proxies at an address without a port', async () => {
    const answer = await api.call('POST', '/proxies', { name: newName(), upstream, listen: 'bad' })
    expectError(answer, 500, 'listen tcp: address bad: missing port in address')
  })

  it('PATCH /proxies/{proxy} to a port in use', async () => {
    const taken = await makeUpstream()
    const proxy = await makeProxy(api)
    const answer = await api.call('PATCH', `/proxies/${proxy.name}`, { listen: taken.address })
    expectError(answer, 500, `listen tcp ${taken.address}: bind: address already in use`)
  })
})

describe('403', () => {
  it.each(['Mozilla/5.0 (X11; Linux x86_64)', 'Mozilla/'])('for user agent %s, whatever the route', async (agent) => {
    const headers = { 'user-agent': agent }
    for (const [method, path] of [
      ['GET', '/proxies'],
      ['POST', '/reset'],
      ['GET', '/version'],
    ] as const) {
      const answer = await api.call(method, path, undefined, headers)
      expect([answer.status, answer.text.trimEnd()]).toEqual([403, 'User agent not allowed'])
    }
  })

  it.each(['curl/8 Mozilla/5.0', 'toxiproxy-cli'])('not for user agent %s', async (agent) => {
    expect((await api.call('GET', '/proxies', undefined, { 'user-agent': agent })).status).toBe(200)
  })
})

describe('a request to add a toxic with several errors', () => {
  const attributes = { latency: 'x' }
  it.each([
    ['the types of its fields', { toxicity: 'x', stream: 'x', type: 'x', name: 't', attributes }, 400, badBody],
    ['the stream', { stream: 'x', type: 'x', name: 't', attributes }, 400, invalidStream],
    ['the type', { type: 'x', name: 't', attributes }, 400, 'invalid toxic type'],
    ['the name', { type: 'latency', name: 't', attributes }, 409, 'toxic already exists'],
    ['the attributes', { type: 'latency', name: 'new', attributes }, 400, badBody],
  ])('is refused for %s: %j', async (_, body, status, error) => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'noop' })
    expectError(await scene.call('POST', '/toxics', body), status, error)
  })
})
