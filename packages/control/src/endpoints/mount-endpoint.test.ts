import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import type { Chaos } from '@chaos/core'
import { ask, nextEntry, testChaos, TOKEN } from '../../test/support.js'
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
      const app = express().use(express.json())
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

/** A request with an Upgrade header, as curl sends one for HTTP/2. */
function askToUpgrade(url: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const req = request(url, { headers: { connection: 'upgrade', upgrade: 'h2c' }, agent: false })
    req.on('error', reject).on('upgrade', (_res, socket) => {
      socket.destroy()
      resolve({ status: 101, text: '' })
    })
    req.on('response', (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text }))
    })
    req.end()
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

  it('answers an upgrade of another path as before, with or without another listener', async () => {
    const { base, server } = await started(start, testChaos().chaos)
    expect(await askToUpgrade(`${base}/app`)).toEqual({ status: 200, text: 'the app' })
    // It refuses every path but its own: the endpoint is asked first.
    const other = new WebSocketServer({ server, path: '/live' })
    onTestFinished(() => other.close())
    expect((await askToUpgrade(`${base}/app`)).status).toBe(400)
    const client = await connect({ url: `${base}/chaos`, token: TOKEN })
    await client.close()
  })

  it('is gone from the server once it is closed', async () => {
    const { base, server, close } = await started(start, testChaos().chaos)
    await close()
    expect(Object.hasOwn(server, 'emit')).toBe(false)
    expect(server.listenerCount('upgrade')).toBe(0)
    expect((await ask(`${base}/chaos/info`)).status).toBe(404)
  })
})
