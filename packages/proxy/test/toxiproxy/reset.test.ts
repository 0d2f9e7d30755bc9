import { expect, it } from 'vitest'
import { makeProxy, makeUpstream, startScene } from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()

it('POST /reset answers 204, starts disabled proxies, removes toxics, and keeps proxies', async () => {
  const scene = await startScene(api)
  await scene.add({ type: 'latency' })
  await scene.add({ type: 'noop', stream: 'upstream' })
  const disabled = await makeProxy(api, { enabled: false })
  const answer = await api.call('POST', '/reset')
  expect([answer.status, answer.text]).toEqual([204, ''])
  expect((await scene.call('GET', '')).json()).toEqual({ ...scene.proxy, toxics: [] })
  expect((await api.call('GET', `/proxies/${disabled.name}`)).json()).toMatchObject({ enabled: true })
})

it('POST /reset leaves connections open', async () => {
  const scene = await startScene(api)
  const client = await scene.connect()
  client.socket.write('a')
  await client.receives(1)
  await scene.add({ type: 'latency' })
  await api.call('POST', '/reset')
  client.socket.write('b')
  expect(String(await client.receives(2))).toBe('ab')
})

it('POST /reset answers 500 and stops if a proxy cannot start', async () => {
  const taken = await makeUpstream()
  const proxy = await makeProxy(api, { enabled: false, listen: taken.address })
  const answer = await api.call('POST', '/reset')
  expect([answer.status, answer.json()]).toEqual([
    500,
    { error: `listen tcp ${taken.address}: bind: address already in use`, status: 500 },
  ])
  expect((await api.call('GET', `/proxies/${proxy.name}`)).json()).toMatchObject({ enabled: false })
})
