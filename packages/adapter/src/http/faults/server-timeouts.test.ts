import { inject, withFault } from '@chaos/core'
import { hasPrograms } from '@chaos/test-servers'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeCertificates } from '../../../test/certificates.js'
import { serve } from '../../../test/http.js'
import { lifeOf } from '../../../test/tcp.js'
import { answerRequests } from './answer-requests.js'
import { delayRequests } from './delay-requests.js'
import { hangRequests } from './hang-requests.js'

const HEAD = 'GET /items HTTP/1.1\r\nhost: test\r\n\r\n'

/**
 * What a client hears that sends a request and waits until the server ends the connection. On a machine that stalls for as long as the server
 * waits, it may not have read the request by then: of that client there is nothing to say, and the next one comes.
 */
async function lifeAt(origin: string, isRead: () => boolean): Promise<readonly string[]> {
  for (;;) {
    const socket = net.connect(Number(new URL(origin).port), '127.0.0.1')
    socket.on('connect', () => socket.write(HEAD))
    const life = await lifeOf(socket.resume())
    if (isRead()) return life
  }
}

describe.each([
  ['hangRequests', hangRequests()],
  ['delayRequests', delayRequests({ delayMs: 60_000 })],
] as const)('a request that %s holds at its server', (_name, fault) => {
  it.each<readonly [string, (server: http.Server) => void]>([
    ['server.setTimeout', (server) => void server.setTimeout(50)],
    ['server.timeout', (server) => (server.timeout = 50)],
    ['a listener of timeout', (server) => void server.setTimeout(50, (socket) => socket.end('bye'))],
  ])('ends by %s as with a handler that never answers', async (_way, limit) => {
    const mute = await serve(() => undefined)
    limit(mute.server)
    const real = await lifeAt(mute.origin, () => mute.requests.length > 0)
    const { origin, server, requests } = await serve()
    limit(server)
    const injection = await inject(fault, server)
    expect(await lifeAt(origin, () => injection.affected > 0)).toEqual(real)
    await vi.waitFor(() => expect([injection.affected, injection.held]).toEqual([1, 0]))
    await injection.rollback()
    expect(requests).toEqual([])
  })
})

it.runIf(hasPrograms('openssl'))('lets the timeout of an HTTPS client act on a held request', async () => {
  const { own } = makeCertificates()
  const server = https.createServer(own, (_request, response) => void response.end('answer')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as net.AddressInfo
  const injection = await inject(hangRequests(), https)
  // A machine that stalls may let it give up before it has sent its request.
  while (injection.affected === 0) {
    const request = https.get(`https://127.0.0.1:${port}`, { ca: own.cert, agent: false, timeout: 100 })
    request.on('timeout', () => request.destroy(new Error('no answer')))
    await expect(once(request, 'response')).rejects.toThrow('no answer')
  }
  await vi.waitFor(() => expect([injection.affected, injection.held]).toEqual([1, 0]))
  await injection.rollback()
})

describe('answerRequests answers validly', () => {
  it('HEAD at a server, so that the connection takes the next request', async () => {
    const { origin, server } = await serve()
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    await withFault(answerRequests(), server, async () => {
      const sockets = new Set<unknown>()
      for (const method of ['HEAD', 'GET', 'HEAD']) {
        const request = http.request(origin, { method, agent }).end()
        const [response] = (await once(request, 'response')) as [http.IncomingMessage]
        sockets.add(request.socket)
        expect([response.statusCode, await text(response)]).toEqual([
          503,
          method === 'HEAD' ? '' : 'Service Unavailable',
        ])
      }
      expect(sockets.size).toBe(1)
    })
  })

  it('CONNECT at a client', async () => {
    const { origin } = await serve()
    await withFault(answerRequests(), http, async () => {
      const request = http.request(origin, { method: 'CONNECT', path: 'far.example:443' }).end()
      const tunnel: string[] = []
      const status = await new Promise((resolve) =>
        request.on('connect', ({ statusCode }, socket: net.Socket, head: Buffer) => {
          tunnel.push(String(head))
          socket.on('data', (bytes) => tunnel.push(String(bytes))).on('end', () => resolve(statusCode))
          socket.write('hello')
        }),
      )
      expect(status).toBe(503)
      expect(tunnel).toEqual(['Service Unavailable'])
    })
  })

  it('a request to upgrade at a client', async () => {
    const { origin } = await serve()
    await withFault(answerRequests(), http, async () => {
      const request = http.get(origin, { headers: { connection: 'upgrade', upgrade: 'websocket' } })
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      expect([response.statusCode, await text(response)]).toEqual([503, 'Service Unavailable'])
    })
  })
})
