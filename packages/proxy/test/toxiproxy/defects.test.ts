import { describe, expect, it, vi } from 'vitest'
import type { Client } from '../tcp.js'
import { dialect, type HarmfulValue } from './dialect.js'
import { connectClient, deletedAtEnd, newName, startScene, type ProxyJson, type Scene } from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()

/** Values that end the process of the original at the next byte. */
const harmful: readonly (readonly [HarmfulValue, string, Readonly<Record<string, number>>])[] = [
  ['negative rate', 'bandwidth', { rate: -1 }],
  ['average size below 1', 'slicer', {}],
  ['average size below 1', 'slicer', { average_size: 0 }],
  ['variation above average size', 'slicer', { average_size: 10, size_variation: 20 }],
]

const sliced = { average_size: 10, size_variation: 5, delay: 0 }
/** Changes to such values. */
const harmfulChanges: readonly (readonly [
  HarmfulValue,
  string,
  Readonly<Record<string, number>>,
  Readonly<Record<string, number>>,
])[] = [
  ['negative rate', 'bandwidth', { rate: 1 }, { rate: -1 }],
  ['variation above average size', 'slicer', sliced, { average_size: 4 }],
  ['average size below 1', 'slicer', sliced, { average_size: 0 }],
  ['variation above average size', 'slicer', sliced, { size_variation: 11 }],
]

describe('values that harm the original', () => {
  it.each(harmful)('a %s: %s with attributes %j is answered as the dialect says', async (value, type, attributes) => {
    const scene = await startScene(api)
    const answer = await scene.call('POST', '/toxics', { name: 't', type, attributes })
    expect(answer.status).toBe(dialect.refuses[value] ? 400 : 200)
    // Before any byte passes, so that the original survives as well.
    await scene.call('DELETE', '/toxics/t')
    const client = await scene.connect()
    client.socket.write('x')
    await client.receives(1)
  })

  it.each(harmfulChanges.filter(([value]) => dialect.refuses[value]))(
    'a %s: %s of %j is not changed by %j',
    async (_, type, attributes, change) => {
      const scene = await startScene(api)
      await scene.add({ name: 't', type, attributes })
      const answer = await scene.call('PATCH', '/toxics/t', { toxicity: 0.5, attributes: change })
      expect(answer.status).toBe(400)
      expect((await scene.call('GET', '/toxics/t')).json()).toMatchObject({ toxicity: 1, attributes })
    },
  )
})

const attributes = {
  latency: ['latency', 'jitter'],
  bandwidth: ['rate'],
  slow_close: ['delay'],
  timeout: ['timeout'],
  reset_peer: ['timeout'],
  slicer: ['average_size', 'size_variation', 'delay'],
  limit_data: ['bytes'],
} as const
// As text, since JSON numbers of 64 bits do not fit a JavaScript number.
const extremes = ['-1', '2147483648', '9007199254740993', '9223372036854775807', '-9223372036854775808', '1e400']

describe.runIf(dialect.survivesExtremes)('extreme values', () => {
  it.each(Object.entries(attributes).flatMap(([type, names]) => names.map((name) => [type, name] as const)))(
    '%s with an extreme %s is accepted or a 400, and traffic never harms the server',
    async (type, name) => {
      const scene = await startScene(api)
      for (const value of extremes) {
        const body = `{"name":"t","type":"${type}","attributes":{"${name}":${value}}}`
        const { status } = await scene.call('POST', '/toxics', body)
        expect([200, 400]).toContain(status)
        const client = await scene.connect()
        client.socket.write('x'.repeat(1_000))
        expect((await scene.call('GET', '')).status).toBe(200)
        await scene.call('DELETE', '/toxics/t')
        client.socket.destroy()
      }
      const after = await scene.connect()
      after.socket.write('x')
      await after.receives(1)
    },
  )
})

/** Connects clients that do not read, to a server that has sent them more than all buffers hold. */
async function stallReaders(scene: Scene, count: number): Promise<readonly Client[]> {
  const clients: Client[] = []
  for (let i = 0; i < count; i += 1) {
    const client = await scene.connect()
    client.socket.pause()
    clients.push(client)
  }
  await vi.waitFor(() => expect(scene.upstream.accepted).toHaveLength(count))
  // The server cannot write on.
  await vi.waitFor(() => {
    for (const socket of scene.upstream.accepted) expect(socket.writableLength).toBeGreaterThan(0)
  })
  return clients
}

// These would leave the original without an answer, so that no other test could use it.
describe.runIf(dialect.answersWhileStalled)('the control API, while readers are stalled', () => {
  const flood = Buffer.alloc(16_000_000, 'x')

  it.each(['latency', 'bandwidth', 'slow_close', 'timeout', 'reset_peer', 'slicer', 'limit_data', 'noop'])(
    'adds, changes and removes %s, and answers everything else',
    async (type) => {
      const scene = await startScene(api, (socket) => socket.write(flood))
      await stallReaders(scene, 3)
      const name = 't'
      const valid = type === 'slicer' ? { average_size: 100 } : type === 'limit_data' ? { bytes: 1e12 } : {}
      await scene.add({ name, type, attributes: valid })
      expect((await scene.call('PATCH', '/toxics/t', { toxicity: 0.5 })).status).toBe(200)
      expect((await scene.call('DELETE', '/toxics/t')).status).toBe(204)
      expect((await api.call('GET', '/proxies')).status).toBe(200)
      expect((await api.call('GET', '/version')).status).toBe(200)
    },
  )

  it('removes a toxic that was there before the reader stalled, and disables and deletes the proxy', async () => {
    const scene = await startScene(api, (socket) => socket.write(flood))
    await scene.add({ name: 't', type: 'latency' })
    await stallReaders(scene, 3)
    expect((await scene.call('DELETE', '/toxics/t')).status).toBe(204)
    expect((await scene.call('PATCH', '', { enabled: false })).status).toBe(200)
    expect((await scene.call('DELETE', '')).status).toBe(204)
  })

  it('loses no byte of a reader that goes on', async () => {
    const scene = await startScene(api, (socket) => socket.write(flood))
    const [client] = (await stallReaders(scene, 1)) as [Client]
    await scene.add({ name: 't', type: 'latency', attributes: { latency: 1 } })
    await scene.call('DELETE', '/toxics/t')
    client.socket.resume()
    expect((await client.receives(flood.length)).equals(flood)).toBe(true)
  })
})

it('a proxy whose name has a slash is reached by `%2F` as the dialect says', async () => {
  const name = `${newName()}/a b`
  deletedAtEnd(api, name)
  const created = await api.call('POST', '/proxies', { name, listen: '127.0.0.1:0', upstream: '127.0.0.1:1' })
  expect(created.status).toBe(201)
  const path = `/proxies/${encodeURIComponent(name)}`
  const reached = dialect.reachesNamesWithSlash
  expect((await api.call('GET', path)).status).toBe(reached ? 200 : 404)
  expect((await api.call('POST', `${path}/toxics`, { name: 'x/y', type: 'noop' })).status).toBe(reached ? 200 : 404)
  expect((await api.call('DELETE', `${path}/toxics/x%2Fy`)).status).toBe(reached ? 204 : 404)
  expect((await api.call('DELETE', path)).status).toBe(reached ? 204 : 404)
  if (reached) await expect(connectClient(created.json() as ProxyJson)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
