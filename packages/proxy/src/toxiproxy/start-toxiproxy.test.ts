import { expect, it, onTestFinished, vi } from 'vitest'
import { journal, withFault } from '@chaos/core'
import { connectTo, startUpstream } from '../../test/tcp.js'
import { delayData } from '../index.js'
import * as toxiproxy from './index.js'
import { startToxiproxy } from './index.js'

it('exports these names', () => {
  expect(Object.keys(toxiproxy)).toEqual(['startToxiproxy'])
})

it('makes proxies and toxics in the process', async () => {
  const upstream = await startUpstream()
  onTestFinished(() => upstream.close())
  const server = await startToxiproxy()
  onTestFinished(() => server.close())
  const created = await server.createProxy({ name: 'redis', upstream: upstream.address })
  const client = await connectTo(created.port)
  onTestFinished(() => void client.socket.destroy())

  const toxic = await created.instance.addToxic({ type: 'limit_data', attributes: { bytes: 8 } })
  expect(toxic.name).toBe('limit_data_downstream')
  expect((await toxic.update({ attributes: { bytes: 2 } })).attributes).toEqual({ bytes: 2 })
  await toxic.remove()
  await withFault(delayData({ delayMs: 1 }), created.proxy, async () => {
    client.socket.write('1234')
    expect((await client.receives(4)).toString()).toBe('1234')
  })
  expect(await created.setEnabled(false)).toMatchObject({ name: 'redis', enabled: false })
  await expect(connectTo(created.port)).rejects.toThrow(/ECONNREFUSED/)
  await server.reset()
  expect(created.proxy.enabled).toBe(true)
  await created.instance.remove()
  await expect(created.setEnabled(true)).rejects.toThrow('proxy not found')
})

it('closes its proxies and ends their toxics', async () => {
  const server = await startToxiproxy({
    proxies: [{ name: 'a', upstream: '127.0.0.1:1', toxics: [{ type: 'noop', name: 'last' }] }],
  })
  const created = await server.createProxy({ name: 'b', upstream: '127.0.0.1:1', toxics: [{ type: 'noop' }] })
  const ended = vi.fn()
  const stop = journal.follow(({ type }) => {
    if (type === 'ended') ended()
  })
  onTestFinished(stop)
  await server.close()
  expect(ended).toHaveBeenCalledTimes(2)
  await expect(connectTo(created.port)).rejects.toThrow(/ECONNREFUSED/)
})

it('leaves nothing listening of what is made while it closes, and can be closed twice', async () => {
  const server = await startToxiproxy({ proxies: [{ name: 'a', upstream: '127.0.0.1:1' }] })
  const making = [1, 2, 3].map((n) => server.createProxy({ name: `late ${n}`, upstream: '127.0.0.1:1' }))
  await Promise.all([server.close(), server.close()])
  for (const made of await Promise.allSettled(making)) {
    if (made.status === 'fulfilled') await expect(connectTo(made.value.port)).rejects.toThrow(/ECONNREFUSED/)
    else expect(made.reason).toMatchObject({ code: 'CHAOS_PROXY_CLOSED' })
  }
  await expect(server.createProxy({ name: 'after', upstream: '127.0.0.1:1' })).rejects.toMatchObject({
    code: 'CHAOS_PROXY_CLOSED',
    message: expect.stringContaining('`startToxiproxy`') as string,
  })
})

it('holds at most 1,000 proxies, also if they are made at the same time', async () => {
  const server = await startToxiproxy()
  onTestFinished(() => server.close())
  const making = Array.from({ length: 1_001 }, (_, n) =>
    server.createProxy({ name: `proxy ${n}`, upstream: '127.0.0.1:1', enabled: false }),
  )
  const refused = (await Promise.allSettled(making)).filter(({ status }) => status === 'rejected')
  expect(refused).toEqual([{ status: 'rejected', reason: expect.objectContaining({ status: 429 }) as unknown }])
})

it.each([
  ['1,000 letters', 'n'.repeat(1_000)],
  ['50 control characters', '\u0000'.repeat(50)],
])('takes a name of %s', async (_what, name) => {
  const server = await startToxiproxy()
  onTestFinished(() => server.close())
  const { instance, proxy } = await server.createProxy({ name, upstream: '127.0.0.1:1' })
  expect(instance.name).toBe(name)
  expect(proxy.name.length).toBeLessThanOrEqual(100)
})

it('closes what it has begun if its proxies are invalid', async () => {
  const first = await startToxiproxy()
  const { port } = first
  await first.close()
  await expect(startToxiproxy({ port, proxies: [{ name: 'a', upstream: '' }] })).rejects.toThrow(
    'missing required field: upstream at proxy 1',
  )
  const second = await startToxiproxy({ port })
  await expect(startToxiproxy({ port })).rejects.toMatchObject({ code: 'CHAOS_LISTEN_FAILED' })
  await second.close()
})

it.each([
  [{ NODE_ENV: 'production' }, 'CHAOS_ENVIRONMENT_REFUSED'],
  [{ CHAOS_DISABLED: '1' }, 'CHAOS_DISABLED'],
])('is refused under %j', async (env, code) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(startToxiproxy()).rejects.toMatchObject({ code })
})
