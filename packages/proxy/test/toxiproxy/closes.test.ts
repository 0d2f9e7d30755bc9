import { describe, expect, it, vi } from 'vitest'
import { dialect } from './dialect.js'
import { connectClient, makeProxy, startScene } from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()

describe('a connection', () => {
  it('whose client ends its requests gets a later answer as the dialect says', async () => {
    const scene = await startScene(api, (socket) => {
      // Long enough for a proxy that closes both directions to have done so.
      socket.on('end', () => setTimeout(() => socket.end('response'), 50)).resume()
    })
    const client = await scene.connect()
    client.socket.end('request')
    await client.closed
    expect(String(client.received())).toBe(dialect.carriesHalfClose ? 'response' : '')
  })

  it('whose server ends its answers carries a later request as the dialect says', async () => {
    let received = ''
    const scene = await startScene(api, (socket) => {
      socket.on('data', (bytes) => (received += String(bytes))).end('greeting')
    })
    const client = await scene.connect()
    await vi.waitFor(() => expect(client.events[0]).toBe('end'))
    client.socket.end('request')
    await client.closed
    await vi.waitFor(() => expect(scene.upstream.accepted[0]?.readableEnded).toBe(true))
    expect(received).toBe(dialect.carriesHalfClose ? 'request' : '')
  })

  it('that both sides end closes without an error', async () => {
    const scene = await startScene(api)
    const client = await scene.connect()
    client.socket.end('bytes')
    await client.closed
    expect(client.events).toEqual(['end', 'close'])
  })

  it('that the server resets arrives at the client as the dialect says', async () => {
    const scene = await startScene(api)
    const client = await scene.connect()
    client.socket.write('x')
    await client.receives(1)
    scene.upstream.accepted[0]?.resetAndDestroy()
    await vi.waitFor(() => expect(client.events[0]).toBe(dialect.resetArrivesAs))
  })

  it('that the client resets arrives at the server as the dialect says', async () => {
    const events: (string | undefined)[] = []
    const scene = await startScene(api, (socket) => {
      socket.on('error', ({ code }: NodeJS.ErrnoException) => events.push(code)).on('end', () => events.push('end'))
      socket.on('data', (bytes) => socket.write(bytes))
    })
    const client = await scene.connect()
    client.socket.write('x')
    await client.receives(1)
    client.socket.resetAndDestroy()
    await vi.waitFor(() => expect(events).toEqual([dialect.resetArrivesAs]))
  })

  it('whose upstream refuses is accepted, then closed', async () => {
    const scene = await startScene(api)
    await scene.upstream.close()
    const client = await scene.connect()
    await vi.waitFor(() => expect(['end', 'ECONNRESET']).toContain(client.events[0]))
  })

  it('whose upstream refuses is closed though it has sent bytes', async () => {
    const scene = await startScene(api)
    await scene.upstream.close()
    const client = await scene.connect()
    client.socket.write('bytes')
    client.socket.end()
    await client.closed
    expect(['end', 'ECONNRESET', 'EPIPE']).toContain(client.events[0])
  })

  it('whose upstream comes back is served again', async () => {
    const scene = await startScene(api)
    const proxy = await makeProxy(api, { upstream: '127.0.0.1:1' })
    await vi.waitFor(async () => expect((await connectClient(proxy)).socket).toBeDefined())
    await api.call('PATCH', `/proxies/${proxy.name}`, { upstream: scene.upstream.address })
    const client = await connectClient(proxy)
    client.socket.write('x')
    expect(String(await client.receives(1))).toBe('x')
  })
})
