import { withFault } from '@chaos/core'
import { faultContract } from '@chaos/core/testing'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { describeError } from '../../test/describe-error.js'
import { connected, lifeOf, listen, tcpServer } from '../../test/tcp.js'
import { cutResponses } from './cut-responses.js'

describe('the contract', () => {
  let server: Awaited<ReturnType<typeof tcpServer>>
  beforeAll(async () => (server = await tcpServer()))
  afterAll(() => server.close())

  const cases = faultContract<typeof net>({
    fault: () => cutResponses({ how: 'end' }),
    target: () => net,
    touched: () => [net.Socket.prototype],
    // A piece that was read, on a connection of its own each time.
    async exercise(_net, times) {
      const sockets = await Promise.all(Array.from({ length: times }, () => connected(server.port)))
      for (const socket of sockets) socket.push(Buffer.from('answer'))
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe('cutResponses', () => {
  it.each([
    ['reset', (socket: net.Socket): void => void socket.resetAndDestroy()],
    ['end', (socket: net.Socket): void => void socket.destroy()],
  ] as const)('%s reads as a real server that dies in its answer, event by event', async (how, cut) => {
    const { port, accepted } = await listen((socket) => void socket.on('data', (question) => socket.write(question)))
    const answerTo = async (question: string, onAnswer: () => void = () => undefined): Promise<readonly string[]> => {
      const socket = await connected(port)
      const life = lifeOf(socket.once('data', onAnswer))
      socket.write(question)
      return life
    }
    const real = await answerTo('half', () => cut(accepted.at(-1) as net.Socket))
    const injected = await withFault(cutResponses({ afterBytes: 4, how }), net, () => answerTo('half of it'), { only: `*:${port}` })
    expect(injected).toEqual(real)
    expect(injected[0]).toBe('data half')
  })

  /** Half a body, as a client hears it. */
  const clients = {
    async fetch(port: number, onHalf: () => void) {
      const heard: string[] = []
      await fetch(`http://127.0.0.1:${port}`)
        .then(async ({ body }) => {
          for await (const _chunk of body as unknown as AsyncIterable<Uint8Array>) onHalf()
        })
        .catch((error: unknown) => {
          const { name, message, cause } = error as Error & { readonly cause: Error }
          heard.push(`${name}: ${message}`, JSON.stringify(describeError(cause)))
        })
      return heard
    },
    http: (port: number, onHalf: () => void) =>
      new Promise<string[]>((resolve) => {
        const heard: string[] = []
        const listen = (who: string, to: NodeJS.EventEmitter): void => {
          for (const event of ['aborted', 'error', 'end', 'close']) to.on(event, (error?: Error) => heard.push([who, event, error instanceof Error ? JSON.stringify(describeError(error)) : ''].join(' ')))
        }
        const request = http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
          listen('response', response)
          response.once('data', onHalf).on('close', () => resolve(heard))
        })
        listen('request', request)
      }),
  }

  it.each(Object.entries(clients))('breaks %s in the middle of a body as a real reset does', async (_name, half) => {
    let answering: http.ServerResponse | undefined
    const server = http.createServer((_request, response) => {
      answering = response
      response.writeHead(200, { 'content-length': '1000' }).write('x'.repeat(500))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as net.AddressInfo
    const real = await half(port, () => void answering?.socket?.resetAndDestroy())
    const injected = await withFault(cutResponses({ afterBytes: 300 }), net, () => half(port, () => undefined), { only: `*:${port}`, limit: 1 })
    expect(injected).toEqual(real)
    expect(injected.join()).toContain('ECONNRESET')
  })
})
