import { inject, injectedBy, withFault, type Fault } from '@chaos/core'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { lifeOf } from '../../test/tcp.js'
import { cutResponses } from '../http/faults/cut-responses.js'
import { slowResponses } from '../http/faults/slow-responses.js'
import { cutConnections } from './faults/cut-connections.js'
import { delayConnections } from './faults/delay-connections.js'
import { hangConnections } from './faults/hang-connections.js'
import { refuseConnections } from './faults/refuse-connections.js'

/** A server of HTTP at a Unix socket for the running test. */
async function serveAtPath(): Promise<{ readonly path: string; readonly sockets: readonly net.Socket[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-adapter-'))
  const path = join(folder, 'server.sock')
  const sockets: net.Socket[] = []
  const server = http.createServer((_request, response) => void response.end('answer'))
  server.on('connection', (socket: net.Socket) => sockets.push(socket))
  await once(server.listen(path), 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
    rmSync(folder, { recursive: true })
  })
  return { path, sockets }
}

async function connectedTo(path: string): Promise<net.Socket> {
  const socket = net.connect({ path }).on('error', () => undefined)
  await once(socket, 'connect')
  onTestFinished(() => void socket.destroy())
  return socket
}

const ask = async (socketPath: string, agent?: http.Agent): Promise<string> => {
  const [response] = (await once(http.get({ socketPath, ...(agent && { agent }) }), 'response')) as [
    http.IncomingMessage,
  ]
  return text(response)
}

describe('faults of connections reach Unix sockets', () => {
  it('refuseConnections fails as a path that nobody listens at', async () => {
    const { path } = await serveAtPath()
    const stale = `${path}.stale`
    await once(net.createServer().listen(stale).close(), 'close')
    const real = await lifeOf(net.connect({ path: stale }))
    const injected = await withFault(refuseConnections(), net, { only: path }, async (injection) => {
      const socket = net.connect({ path })
      const failing = once(socket, 'error').catch((reason: unknown) => [reason])
      const life = await lifeOf(socket)
      const [error] = (await failing) as [NodeJS.ErrnoException & { readonly address?: string }]
      expect([error.code, error.message, error.address]).toEqual(['ECONNREFUSED', `connect ECONNREFUSED ${path}`, path])
      expect(injection.affected).toBe(1)
      await expect(ask(path)).rejects.toThrow(`connect ECONNREFUSED ${path}`)
      return life
    })
    expect(injected.map((line) => line.split(' ')[0])).toEqual(real.map((line) => line.split(' ')[0]))
    expect(await ask(path)).toBe('answer')
  })

  it.each([
    ['hangConnections', hangConnections()],
    ['delayConnections', delayConnections({ delayMs: 60_000 })],
  ] as readonly (readonly [string, Fault<typeof net>])[])('%s holds them until it ends', async (_name, fault) => {
    const { path, sockets } = await serveAtPath()
    const injection = await inject(fault, net, { only: path })
    const asking = ask(path)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    expect(sockets).toEqual([])
    await injection.rollback()
    expect(await asking).toBe('answer')
  })

  it('cutConnections cuts those made before, by their path, and spares the accepted side', async () => {
    const [one, other] = [await serveAtPath(), await serveAtPath()]
    const [cut, spared] = [await connectedTo(one.path), await connectedTo(other.path)]
    const failing = once(cut, 'error').catch((reason: unknown) => [reason])
    const injection = await inject(cutConnections(), net, { only: one.path })
    expect(injection.evidence).toEqual([{ peer: one.path, how: 'reset' }])
    const [error] = (await failing) as [Error]
    expect(injectedBy(error)).toBe('adapter/cut-connections')
    expect([spared.destroyed, one.sockets[0]?.destroyed]).toEqual([false, false])
  })

  it('slowResponses and cutResponses reach them too', async () => {
    const { path } = await serveAtPath()
    const agent = new http.Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    await ask(path, agent)
    const slow = await inject(slowResponses({ delayMs: 60_000 }), net, { only: path })
    const asking = ask(path, agent)
    await vi.waitFor(() => expect(slow.held).toBe(1))
    await slow.rollback()
    expect(await asking).toBe('answer')
    await withFault(cutResponses(), net, { only: path }, () => expect(ask(path)).rejects.toThrow('ECONNRESET'))
  })
})
