import { inject } from '@chaos/core'
import { Client, credentials, Server, ServerCredentials, type MethodDefinition } from '@grpc/grpc-js'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeCertificates } from '../../test/certificates.js'
import { serve } from '../../test/http.js'
import { cutConnections } from './faults/cut-connections.js'
import { refuseConnections } from './faults/refuse-connections.js'

type Ask = () => Promise<string>

const answerOf = async (request: http.ClientRequest): Promise<string> => {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return text(response)
}

/** Clients that keep their connection between calls. */
const clients: Readonly<Record<string, () => Promise<Ask>>> = {
  async fetch() {
    const { origin } = await serve()
    return async () => (await fetch(origin)).text()
  },
  async 'a keep-alive agent of node:http'() {
    const { origin } = await serve()
    const agent = new http.Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    return () => answerOf(http.get(origin, { agent }))
  },
  async 'an application with a session of HTTP/2'() {
    const server = http2.createServer((_request, response) => void response.end('answer')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    let session: http2.ClientHttp2Session | undefined
    onTestFinished(() => {
      session?.destroy()
      server.close()
    })
    return () => {
      if (session?.destroyed !== false)
        session = http2
          .connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`)
          .on('error', () => undefined)
      // A stream may still be about to close when its text is complete.
      return text(session.request().on('error', () => undefined))
    }
  },
  async 'grpc-js'() {
    const server = new Server()
    const echo: MethodDefinition<string, string> = {
      path: '/test.Echo/Say',
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: string) => Buffer.from(value),
      requestDeserialize: String,
      responseSerialize: (value: string) => Buffer.from(value),
      responseDeserialize: String,
    }
    server.addService(
      { say: echo },
      { say: (_call: unknown, done: (error: null, value: string) => void) => done(null, 'answer') },
    )
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 20,
      'grpc.max_reconnect_backoff_ms': 50,
    })
    onTestFinished(() => {
      client.close()
      server.forceShutdown()
    })
    return () =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          echo.path,
          echo.requestSerialize,
          echo.responseDeserialize,
          'question',
          (error, value) => (error === null ? resolve(value ?? '') : reject(error)),
        )
      })
  },
  ...(hasPrograms('openssl') && {
    async 'a keep-alive agent of node:https'() {
      const { own } = makeCertificates()
      const server = https.createServer(own, (_request, response) => void response.end('answer')).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const agent = new https.Agent({ keepAlive: true, ca: own.cert })
      onTestFinished(() => {
        agent.destroy()
        server.closeAllConnections()
        server.close()
      })
      const { port } = server.address() as net.AddressInfo
      return () => answerOf(https.get(`https://127.0.0.1:${port}`, { agent }))
    },
  }),
}

describe('refuseConnections and cutConnections play a downed server', () => {
  it.each(Object.entries(clients))('for %s, which fails until it is up again and then heals', async (_name, start) => {
    const ask = await start()
    expect(await ask()).toBe('answer')
    const down = await inject(refuseConnections(), net)
    const cut = await inject(cutConnections(), net)
    expect(cut.affected).toBeGreaterThan(0)
    for (let call = 0; call < 3; call += 1) await expect(ask()).rejects.toThrow()
    await down.rollback()
    await vi.waitFor(async () => expect(await ask()).toBe('answer'))
  })
})
