import { inject } from '@chaos/core'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { serve } from '../../../test/http.js'
import { answerRequests } from './answer-requests.js'
import { delayRequests } from './delay-requests.js'
import { hangRequests } from './hang-requests.js'

/** The events of a request and its connection until it is closed, errors by code and message. */
function storyOf(request: http.ClientRequest): Promise<readonly string[]> {
  const story: string[] = []
  const listen = (who: string, emitter: NodeJS.EventEmitter, events: readonly string[]): void => {
    for (const event of events)
      emitter.on(event, (reason?: unknown) =>
        story.push(
          `${who} ${event}${reason instanceof Error ? ` ${String(Reflect.get(reason, 'code'))} ${reason.message}` : ''}`,
        ),
      )
  }
  listen('request', request, ['socket', 'finish', 'timeout', 'abort', 'response', 'error'])
  request.on('socket', (socket) => listen('socket', socket, ['connect', 'timeout', 'error', 'close']))
  return new Promise((resolve) => request.on('close', () => setImmediate(() => resolve(story))))
}

/** The story of a request that was sent before its time was over. A machine that stalls for that long makes another one, of which nothing is to be said here. */
async function sentStory(tell: () => Promise<readonly string[]>): Promise<readonly string[]> {
  for (;;) {
    const story = await tell()
    const before = story.slice(
      0,
      story.findIndex((event) => /(?:timeout|abort|error)/.test(event)),
    )
    if (before.includes('socket connect') && before.includes('request finish')) return story
  }
}

type Ask = (url: string) => http.ClientRequest

const onTimeout = (request: http.ClientRequest): http.ClientRequest =>
  request.on('timeout', () => request.destroy(new Error('no answer')))

const ways: Readonly<Record<string, Ask>> = {
  'options.timeout': (url) => onTimeout(http.get(url, { timeout: 50, agent: false })),
  'request.setTimeout': (url) => onTimeout(http.get(url, { agent: false }).setTimeout(50)),
  'the timeout of an agent': (url) => onTimeout(http.get(url, { agent: new http.Agent({ timeout: 50 }) })),
  'the timeout of a keep-alive agent': (url) =>
    onTimeout(http.get(url, { agent: new http.Agent({ timeout: 50, keepAlive: true }) })),
  'a signal': (url) => http.get(url, { agent: false, signal: AbortSignal.timeout(50) }),
  'createConnection without an agent': (url) =>
    onTimeout(
      http.get(url, {
        timeout: 50,
        createConnection: () => net.connect({ port: Number(new URL(url).port), host: '127.0.0.1', timeout: 50 }),
      }),
    ),
  'a body in pieces': (url) => {
    const request = onTimeout(http.request(url, { method: 'POST', timeout: 50, agent: false }))
    request.write('one')
    setTimeout(() => request.end('two'), 5)
    return request
  },
}

/** A server that accepts connections and does nothing. */
async function mute(): Promise<string> {
  const sockets: net.Socket[] = []
  const server = net.createServer(
    { pauseOnConnect: true },
    (socket) => void sockets.push(socket.on('error', () => undefined)),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

const faults = {
  hangRequests: () => hangRequests(),
  delayRequests: () => delayRequests({ delayMs: 60_000 }),
}

describe.each(Object.entries(faults))('a client whose request is held by %s', (_name, fault) => {
  it.each(Object.entries(ways))('gives up by %s as before a mute server, event by event', async (_way, ask) => {
    const muteUrl = await mute()
    const real = await sentStory(() => storyOf(ask(muteUrl)))
    const { origin, requests } = await serve()
    let counts: readonly number[] = []
    const injected = await sentStory(async () => {
      const injection = await inject(fault(), http)
      const story = await storyOf(ask(origin))
      counts = [injection.affected, injection.held]
      await injection.rollback()
      return story
    })
    expect(injected).toEqual(real)
    expect(injected.at(-1)).toBe('socket close')
    expect(counts).toEqual([1, 0])
    expect(requests).toEqual([])
  })

  it('keeps nothing on its request and its connection, which go on when the fault ends', async () => {
    const { origin } = await serve()
    const seen = async (isFaulty: boolean): Promise<unknown> => {
      const injection = isFaulty ? await inject(fault(), http) : undefined
      const request = http.request(origin, { method: 'POST', agent: false })
      const responding = once(request, 'response') as Promise<[http.IncomingMessage]>
      request.end('body')
      if (injection !== undefined) await vi.waitFor(() => expect(injection.held).toBe(1))
      await injection?.rollback()
      const described = [request, request.socket].map((object) => [
        Object.entries(Object.getOwnPropertyDescriptors(object ?? {}))
          .filter(([, { value }]) => typeof value === 'function')
          .map(([key]) => key),
        object?.listeners('close').map(({ name }) => name),
      ])
      const [response] = await responding
      response.resume()
      await once(response, 'end')
      return described
    }
    const [healthy, faulty] = [await seen(false), await seen(true)]
    const names = (described: unknown): unknown => (described as unknown[][]).map(([functions]) => functions)
    expect(names(faulty)).toEqual(names(healthy))
    expect(JSON.stringify(faulty)).not.toContain('onClose",')
  })
})

it('lets the timeout of a client act on a request that waits for its answer', async () => {
  const { origin } = await serve()
  const injection = await inject(answerRequests({ afterMs: 60_000 }), http)
  for (const ask of [ways['options.timeout'], ways['the timeout of an agent'], ways['a signal']] as readonly Ask[]) {
    expect((await storyOf(ask(origin))).join()).toMatch(/request error/)
    expect(injection.held).toBe(0)
  }
  await injection.rollback()
})

describe('every request is reached', () => {
  const plain = {
    addRequest: (request: http.ClientRequest, options: http.RequestOptions) =>
      request.onSocket(net.connect(Number(options.port), '127.0.0.1')),
  }
  class Overriding extends http.Agent {
    addRequest(request: http.ClientRequest, options: http.RequestOptions): void {
      request.onSocket(net.connect(Number(options.port), '127.0.0.1'))
    }
  }
  const agents: Readonly<Record<string, (url: string) => http.RequestOptions>> = {
    'agent: false': () => ({ agent: false }),
    createConnection: (url) => ({ createConnection: () => net.connect(Number(new URL(url).port), '127.0.0.1') }),
    'a plain object': () => ({ agent: plain as unknown as http.Agent }),
    'a subclass that overrides addRequest': () => ({ agent: new Overriding() }),
  }
  it.each(Object.entries(agents))('with %s', async (_way, options) => {
    const { origin, requests } = await serve()
    const ask = async (method = 'GET'): Promise<readonly unknown[]> => {
      const request = http.request(origin, { ...options(origin), method }).end()
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      const body: Buffer[] = []
      for await (const piece of response) body.push(piece as Buffer)
      return [response.statusCode, Buffer.concat(body).toString()]
    }
    const answering = await inject(answerRequests({ body: 'sorry' }), http)
    expect([await ask(), await ask('HEAD')]).toEqual([
      [503, 'sorry'],
      [503, ''],
    ])
    await answering.rollback()
    expect([answering.affected, requests.length]).toEqual([2, 0])
    const hanging = await inject(hangRequests(), http)
    const asking = ask()
    await vi.waitFor(() => expect(hanging.held).toBe(1))
    await hanging.rollback()
    expect(await asking).toEqual([200, 'answer'])
  })

  it('through an agent of another kind that is the target', async () => {
    const { origin } = await serve()
    const injection = await inject(answerRequests(), plain)
    const request = http.get(origin, { agent: plain as unknown as http.Agent })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    expect(response.statusCode).toBe(503)
    await injection.rollback()
  })
})
