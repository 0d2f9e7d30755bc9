import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Chaos } from '@chaos/core'
import { ask, isEnd, nextEntry, testChaos, TOKEN } from '../../test/support.js'
import { signedIn } from '../../test/visitor.js'
import { connect } from '../client/connect.js'
import { mountEndpoint } from './mount-endpoint.js'

/** A server that answers `GET /app` and echoes the JSON of `POST /app`, with a body parser in front where the framework has one. */
type Start = (mount: (server: Server) => void) => Promise<Server>

const frameworks: readonly (readonly [string, Start])[] = [
  [
    'node:http',
    (mount) => {
      const server = createServer((req, res) => {
        if (req.url !== '/app') res.writeHead(404)
        if (req.method === 'POST') req.pipe(res)
        else res.end('the app')
      })
      mount(server)
      return Promise.resolve(server.listen(0, '127.0.0.1'))
    },
  ],
  [
    'Express',
    (mount) => {
      const app = express().use(express.json(), express.urlencoded())
      app.get('/app', (_req, res) => void res.send('the app'))
      app.post('/app', (req, res) => void res.json(req.body))
      const server = app.listen(0, '127.0.0.1')
      mount(server)
      return Promise.resolve(server)
    },
  ],
  [
    'Fastify',
    async (mount) => {
      const app = fastify()
      app.get('/app', () => 'the app')
      app.post('/app', (req) => req.body)
      mount(app.server)
      await app.listen({ port: 0, host: '127.0.0.1' })
      return app.server
    },
  ],
]

async function started(start: Start, chaos: Pick<Chaos, 'controller'>) {
  const mounted: ReturnType<typeof mountEndpoint>[] = []
  const server = await start((one) => mounted.push(mountEndpoint(one, chaos, { token: TOKEN })))
  if (!server.listening) await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const endpoint of mounted) await endpoint.close()
  }
  onTestFinished(async () => {
    await close()
    server.closeAllConnections()
    server.close()
  })
  return { server, close, base: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** What the endpoint replaces on a server, as far as it is the server's own. */
function ownOf(server: Server): unknown {
  return ['emit', 'close', 'shouldUpgradeCallback'].map((key) => Object.getOwnPropertyDescriptor(server, key))
}

/** A request with a body that offers to go on in HTTP/2, as Java's client and `curl --http2` send them. */
function askToUpgrade(
  url: string,
  { method = 'GET', body, protocol = 'h2c' }: { method?: string; body?: unknown; protocol?: string } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: protocol,
      'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': text.length }),
    }
    const req = request(url, { method, headers, agent: false })
    req.on('error', reject).on('upgrade', (_res, socket) => {
      socket.destroy()
      resolve({ status: 101, text: '' })
    })
    req.on('response', (res) => {
      let read = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (read += chunk))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text: read }))
    })
    req.end(text)
  })
}

describe.each(frameworks)('mounted in a server of %s with one call', (_name, start) => {
  it('serves requests and the event stream, and leaves other paths to the app', async () => {
    const { chaos } = testChaos()
    const { base } = await started(start, chaos)
    const client = await connect({ url: `${base}/chaos`, token: TOKEN })
    onTestFinished(() => client.close())
    const landed = nextEntry(client, ({ type }) => type === 'landed')
    expect(await client.inject('bus', 'ring', { times: 1 })).toMatchObject({ status: 'ended' })
    expect(await landed).toMatchObject({ injection: { fault: 'test/ring' } })
    expect((await ask(`${base}/app`)).text).toBe('the app')
    expect((await ask(`${base}/app`, { method: 'POST', body: { a: 1 } })).json()).toEqual({ a: 1 })
    expect((await ask(`${base}/chaos/targets`, { headers: { authorization: '' } })).status).toBe(401)
  })

  it('leaves an upgrade of another path to the app, which without a listener answers it with the body', async () => {
    const { base } = await started(start, testChaos().chaos)
    expect(await askToUpgrade(`${base}/app`)).toEqual({ status: 200, text: 'the app' })
    const posted = await askToUpgrade(`${base}/app`, { method: 'POST', body: { a: 'b'.repeat(50_000) } })
    expect(JSON.parse(posted.text)).toEqual({ a: 'b'.repeat(50_000) })
    const client = await connect({ url: `${base}/chaos`, token: TOKEN })
    await client.close()
    expect(await askToUpgrade(`${base}/app`), 'after an upgrade of ours').toEqual({ status: 200, text: 'the app' })
  })

  it.each(['before', 'after'])('adds no listener to those of an app that was there %s it', async (when) => {
    const counted: number[] = []
    const own = (server: Server): void => {
      // As routers do that answer unknown upgrades only where nothing else may.
      server.on('upgrade', (_req, socket: Socket) => {
        counted.push(server.listenerCount('upgrade'))
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      })
    }
    const { base, server } = await started(
      (mount) =>
        start((one) => {
          if (when === 'before') own(one)
          mount(one)
        }),
      testChaos().chaos,
    )
    if (when === 'after') own(server)
    expect((await askToUpgrade(`${base}/app`, { protocol: 'websocket' })).status).toBe(404)
    const client = await connect({ url: `${base}/chaos`, token: TOKEN })
    await client.close()
    expect((await askToUpgrade(`${base}/app`)).status).toBe(404)
    expect(counted).toEqual([1, 1])
    server.removeAllListeners('upgrade')
    expect(await askToUpgrade(`${base}/app`)).toEqual({ status: 200, text: 'the app' })
  })

  it('is asked before a WebSocket server of the app that refuses every path but its own', async () => {
    const { base, server } = await started(start, testChaos().chaos)
    const other = new WebSocketServer({ server, path: '/live' })
    onTestFinished(() => other.close())
    expect((await askToUpgrade(`${base}/app`)).status).toBe(400)
    const live = new WebSocket(`${base.replace('http', 'ws')}/live`)
    await once(live, 'open')
    const client = await connect({ url: `${base}/chaos`, token: TOKEN })
    await client.close()
    live.close()
    await once(live, 'close')
  })

  it('does not keep the server open: closing it ends the event streams and what they held', async () => {
    const { chaos } = testChaos()
    const { base, server } = await started(start, chaos)
    const client = await connect({ url: `${base}/chaos`, token: TOKEN })
    await client.inject('bus', 'drop-events', {}, { leaseMs: 60_000, hold: 'connection' })
    const ended = nextEntry(chaos, isEnd())
    const closed = once(server, 'close')
    server.close()
    await client.closed
    expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
    await closed
  })

  it('serves the page, whatever reads bodies before the app does', async () => {
    const { chaos } = testChaos()
    const { base } = await started(start, chaos)
    const injection = await chaos.inject('bus', 'drop-events')
    const browser = await signedIn(`${base}/chaos`)
    expect((await browser.post('/stop-all', { csrf: browser.csrf })).status).toBe(303)
    expect(injection.status).toBe('ended')
  })

  it('is gone from the server once it is closed', async () => {
    let before: unknown
    const { base, server, close } = await started(
      (mount) =>
        start((one) => {
          before = ownOf(one)
          mount(one)
        }),
      testChaos().chaos,
    )
    expect(ownOf(server)).not.toEqual(before)
    await close()
    expect(ownOf(server)).toEqual(before)
    expect(server.eventNames().filter((event) => /upgrade|newListener|removeListener/.test(String(event)))).toEqual([])
    expect((await ask(`${base}/chaos/info`)).status).toBe(404)
  })
})
