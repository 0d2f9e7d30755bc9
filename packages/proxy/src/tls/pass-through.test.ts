import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { inForce, isBalanced, startScene } from '../../test/tcp.js'
import { clientHello, connectTls, startTlsClient, startTlsUpstream } from '../../test/tls.js'
import { createProxy, refuseConnections, resetConnections, type ConnectionInfo, type Proxy } from '../index.js'

async function startProxy(upstream: string): Promise<Proxy> {
  const proxy = await createProxy({ upstream, readServerName: true })
  onTestFinished(() => proxy.close())
  return proxy
}

/** Sends a greeting, and then what it gets. */
const speakFirst = (socket: Socket): void => {
  socket.write('220 ready')
  socket.on('data', (bytes) => socket.write(bytes))
}

describe('a proxy that reads the server name where TLS passes through', () => {
  it('tells it to the predicate of a fault, and lists it', async () => {
    const { address } = await startTlsUpstream()
    const proxy = await startProxy(address)
    const seen: ConnectionInfo[] = []
    const only = ({ 0: info }: ArrayLike<unknown>): boolean => {
      seen.push(info as ConnectionInfo)
      return (info as ConnectionInfo).serverName === 'hit.test'
    }
    const injection = await inForce(resetConnections(), proxy, { only })
    const client = await connectTls(proxy.port, { servername: 'LocalHost', ALPNProtocols: ['h2', 'x'] })
    client.write('hello')
    expect(String(await once(client, 'data'))).toBe('hello')
    expect(seen).toEqual([expect.objectContaining({ ordinal: 1, serverName: 'localhost', alpnProtocols: ['h2', 'x'] })])
    expect(proxy.connections()).toMatchObject([{ serverName: 'localhost', status: 'open' }])
    const hit = await startTlsClient(proxy.port, { servername: 'hit.test' })
    await expect(once(hit, 'secureConnect')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(injection.affected).toBe(1)
  })

  it('tells it to a fault that acts before the server is dialled', async () => {
    const { address, accepted } = await startTlsUpstream()
    const proxy = await startProxy(address)
    const only = ({ 0: info }: ArrayLike<unknown>): boolean => (info as ConnectionInfo).serverName === 'localhost'
    await inForce(refuseConnections({ how: 'reset' }), proxy, { only })
    const refused = await startTlsClient(proxy.port)
    await expect(once(refused, 'secureConnect')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(accepted).toHaveLength(0)
    await connectTls(proxy.port, { servername: 'other.test', checkServerIdentity: () => undefined })
  })

  it.each([false, true])('carries every byte once, in order, with publicApiOnly %s', async (publicApiOnly) => {
    const { proxy, connect: join } = await startScene({ readServerName: true, publicApiOnly })
    const hello = await clientHello({ servername: 'db.test' })
    const sent = Buffer.concat([hello, Buffer.alloc(300_000, 'after the hello ')])
    const client = await join()
    for (let at = 0; at < hello.length; at += 50)
      client.socket.write(sent.subarray(at, Math.min(at + 50, hello.length)))
    client.socket.end(sent.subarray(hello.length))
    expect((await client.receives(sent.length)).equals(sent)).toBe(true)
    await client.closed
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
    expect(proxy.counters.upstream).toEqual({
      bytesIn: sent.length,
      bytesOut: sent.length,
      bytesDropped: 0,
      bytesHeld: 0,
    })
    expect(isBalanced(proxy.counters.downstream)).toBe(true)
  })

  it('asks nothing of a protocol that is not TLS, such as the request of PostgreSQL for TLS', async () => {
    const { proxy, connect: join } = await startScene({ readServerName: true }, (socket) => {
      socket.once('data', () => socket.write('S'))
    })
    const client = await join()
    client.socket.write(Buffer.from('0000000804d2162f', 'hex'))
    expect(String(await client.receives(1))).toBe('S')
    expect(proxy.connections()).toMatchObject([{ serverName: undefined }])
  })

  it('carries the end of a client that says nothing or stops in its hello', async () => {
    const { connect: join } = await startScene({ readServerName: true })
    const silent = await join()
    silent.socket.end()
    await silent.closed
    expect(silent.events).toEqual(['end', 'close'])
    const short = await join()
    short.socket.end(Buffer.from([22, 3, 1, 2]))
    expect(await short.receives(4)).toEqual(Buffer.from([22, 3, 1, 2]))
  })

  it('waits 3 s for a client that waits for the server', async () => {
    const clock = manualClock()
    const { proxy, connect: join, upstream } = await startScene({ readServerName: true, clock }, speakFirst)
    const client = await join()
    await vi.waitFor(() => expect(proxy.counters.accepted).toBe(1))
    await clock.advance(2_999)
    expect(upstream.accepted).toHaveLength(0)
    await clock.advance(1)
    expect(String(await client.receives(9))).toBe('220 ready')
    // The dials of a proxy share one timer, which finds nothing to do when it is due.
    await clock.advance(60_000)
    expect(clock.pending).toBe(0)
  })

  it('forgets a client that leaves while it is waited for', async () => {
    const clock = manualClock()
    const { proxy, connect: join } = await startScene({ readServerName: true, clock })
    const client = await join()
    client.socket.write(Buffer.from([22, 3, 1]))
    await vi.waitFor(() => expect(proxy.counters.upstream.bytesHeld).toBe(3))
    client.socket.resetAndDestroy()
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
    expect(clock.pending).toBe(0)
    expect(proxy.counters.upstream).toEqual({ bytesIn: 3, bytesOut: 0, bytesDropped: 3, bytesHeld: 0 })
  })

  it('lets a fault decide for a client that said what it wants while the fault came', async () => {
    const { proxy, connect: join } = await startScene({ readServerName: true })
    const hello = await clientHello({ servername: 'db.test' })
    const client = await join()
    client.socket.write(hello.subarray(0, 100))
    await vi.waitFor(() => expect(proxy.counters.upstream.bytesHeld).toBe(100))
    const seen: unknown[] = []
    const only = ({ 0: info }: ArrayLike<unknown>): boolean => seen.push((info as ConnectionInfo).serverName) > 0
    await inForce(resetConnections(), proxy, { only })
    expect(seen).toEqual([])
    client.socket.write(hello.subarray(100))
    await client.closed
    expect([seen, client.events]).toEqual([['db.test'], ['ECONNRESET', 'close']])
  })
})

it('does not wait for the client unless it is asked to', async () => {
  const { proxy } = await startScene({}, speakFirst)
  const socket = connect(proxy.port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  expect(String(await once(socket, 'data'))).toBe('220 ready')
  expect(proxy.connections()).toMatchObject([{ serverName: undefined }])
})
