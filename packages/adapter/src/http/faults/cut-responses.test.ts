import { withFault } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { askings } from '../../../test/http-clients.js'
import { answering, httpServer, serve } from '../../../test/http.js'
import { connected, lifeOf, listen } from '../../../test/tcp.js'
import { cutResponses } from './cut-responses.js'

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
    const injected = await withFault(
      cutResponses({ afterBytes: 4, how }),
      net,
      {
        only: `*:${port}`,
      },
      () => answerTo('half of it'),
    )
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
          for (const event of ['aborted', 'error', 'end', 'close'])
            to.on(event, (error?: Error) =>
              heard.push([who, event, error instanceof Error ? JSON.stringify(describeError(error)) : ''].join(' ')),
            )
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
    const injected = await withFault(
      cutResponses({ afterBytes: 300 }),
      net,
      {
        only: `*:${port}`,
        limit: 1,
      },
      () => half(port, () => undefined),
    )
    expect(injected).toEqual(real)
    expect(injected.join()).toContain('ECONNRESET')
  })
})

describe('the contract, with a client and a server of HTTP', () => {
  let server: Awaited<ReturnType<typeof httpServer>>
  beforeAll(async () => (server = await httpServer((_request, response) => void response.end())))
  afterAll(() => server.close())

  const ofClient = faultContract<typeof http>({
    fault: () => cutResponses(),
    target: () => http,
    touched: () => [http.ClientRequest.prototype, net.Socket.prototype],
    exercise(_client, times) {
      for (let sent = 0; sent < times; sent += 1)
        http
          .request(server.origin, { agent: new http.Agent(), createConnection: () => new net.Socket() })
          .on('error', () => undefined)
    },
  })
  for (const { title, run } of ofClient) it(`a client: ${title}`, run)

  const ofServer = faultContract<http.Server>({
    fault: () => cutResponses(),
    target: () => http.createServer((_request, response) => void response.end()),
    exercise(listening, times) {
      for (let got = 0; got < times; got += 1) {
        const request = Object.assign(new http.IncomingMessage(new net.Socket()), { method: 'GET', url: '/' })
        listening.emit('request', request, new http.ServerResponse(request))
      }
    },
  })
  for (const { title, run } of ofServer) it(`a server: ${title}`, run)
})

describe.each(Object.entries(askings))('cutResponses, with %s', (_name, { target, ask }) => {
  /** What came, and how it ended, without what names a connection. */
  async function story(url: string, onData: () => void = () => undefined): Promise<readonly unknown[]> {
    const pieces: string[] = []
    const outcome = await ask(url, undefined, (piece) => {
      pieces.push(piece)
      onData()
    }).catch((error: unknown) => error as Error)
    if (!(outcome instanceof Error)) return [outcome.text]
    const told = (error: unknown): unknown =>
      error instanceof Error
        ? [error.constructor.name, error.name, error.message, Object.keys(error), Reflect.get(error, 'code')]
        : error
    return [pieces.join(''), told(outcome), told(outcome.cause)]
  }

  const cases = (['reset', 'end'] as const).flatMap((how) =>
    (['content-length', 'chunked'] as const).flatMap((framing) =>
      [0, 5].map((afterBytes) => [how, framing, afterBytes] as const),
    ),
  )
  it.each(cases)(
    '%s of a body of %s after %i bytes reads as a server that does it',
    async (how, framing, afterBytes) => {
      const text = 'hello, world'
      // Framing of chunks counts too: `c\r\n`.
      const wireBytes = afterBytes === 0 ? 0 : afterBytes + (framing === 'chunked' ? 3 : 0)
      let cut = (): void => undefined
      const dying = await serve((request) => {
        cut = () => {
          if (how === 'reset') request.socket.resetAndDestroy()
          else request.socket.destroy()
        }
        if (afterBytes === 0) cut()
        else
          request.socket.write(
            `HTTP/1.1 200 OK\r\n${framing === 'chunked' ? 'Transfer-Encoding: chunked' : 'Content-Length: 12'}\r\n\r\n${framing === 'chunked' ? 'c\r\n' : ''}${text.slice(0, afterBytes)}`,
          )
      })
      const real = await story(dying.origin, () => cut())
      const server = await serve(answering(text, framing))
      // A reset that comes before what precedes it was read is read as an end: the cut waits for the client, as that of the real server does.
      const clock = manualClock()
      const injected = await withFault(
        cutResponses({ afterBytes: wireBytes, how }),
        target(server),
        {
          only: 'GET */items',
          ...(afterBytes === 0 ? {} : { clock }),
        },
        () => story(`${server.origin}/items`, () => void clock.advance(1)),
      )
      expect(injected).toEqual(real)
      expect(injected[0]).toBe(text.slice(0, afterBytes))
      expect(server.requests).toEqual(['GET /items'])
      expect(await story(server.origin)).toEqual([text])
    },
  )

  it('leaves others of the same target, and those that are short enough, alone', async () => {
    const server = await serve(answering('hello', 'content-length'))
    await withFault(cutResponses({ afterBytes: 5 }), target(server), { only: 'GET */items' }, async (injection) => {
      expect((await ask(`${server.origin}/items`)).text).toBe('hello')
      expect((await ask(`${server.origin}/other`)).text).toBe('hello')
      expect([injection.seen, injection.affected]).toEqual([1, 1])
    })
  })
})
