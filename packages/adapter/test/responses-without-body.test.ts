import { withFault, type Fault } from '@chaos/core'
import { once } from 'node:events'
import http from 'node:http'
import { Agent, request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  answerRequests,
  corruptResponses,
  cutResponses,
  hangResponses,
  slowResponses,
  type HttpTarget,
} from '../src/http/index.js'
import { serve, type HttpServer } from './http.js'

/** A client with one connection, which returns the status and the text of an answer. */
type Ask = (method: 'GET' | 'HEAD', path: string) => Promise<string>

interface Client {
  readonly ask: Ask
  readonly target: HttpTarget
}

const clients: Readonly<Record<string, (server: HttpServer) => Client>> = {
  undici({ origin }) {
    const dispatcher = new Agent({ connections: 1 })
    onTestFinished(() => dispatcher.destroy())
    return {
      target: globalThis,
      async ask(method, path) {
        const { statusCode, body } = await request(origin + path, { dispatcher, method })
        return `${statusCode} ${await body.text()}`
      },
    }
  },
  fetch({ origin }) {
    return {
      target: globalThis,
      async ask(method, path) {
        const response = await fetch(origin + path, { method })
        return `${response.status} ${await response.text()}`
      },
    }
  },
  'node:http'({ origin }) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    return { target: http, ask: byHttp(origin, agent) }
  },
  'a server'({ origin, server }) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    return { target: server, ask: byHttp(origin, agent) }
  },
}

function byHttp(origin: string, agent: http.Agent): Ask {
  return async (method, path) => {
    const asking = http.request(origin + path, { agent, method }).end()
    const [response] = (await once(asking, 'response')) as [http.IncomingMessage]
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return `${String(response.statusCode)} ${text}`
  }
}

const faults: Readonly<Record<string, () => Fault<HttpTarget>>> = {
  'cut-responses': () => cutResponses({ afterBytes: 1 }),
  'corrupt-responses': () => corruptResponses({ damage: 'truncate' }),
  'hang-responses': () => hangResponses({ afterBytes: 1 }),
  'slow-responses': () => slowResponses({ delayMs: 1 }),
  'slow-responses in pieces': () => slowResponses({ delayMs: 1, pieceBytes: 20 }),
}

/** Answers with the status that the path names. */
const answering: http.RequestListener = ({ url = '' }, response) => {
  const status = Number(url.slice(1))
  response.writeHead(status, status === 200 ? { 'content-length': '6' } : {})
  response.end(status === 200 ? 'answer' : undefined)
}

const responses = [
  ['GET', '/204'],
  ['GET', '/304'],
  ['HEAD', '/200'],
] as const

describe.each(Object.entries(clients))('a response without a body, with %s', (_client, connect) => {
  it.each(Object.entries(faults))('is complete under %s, and its connection goes on', async (_fault, makeFault) => {
    const server = await serve(answering)
    const { ask, target } = connect(server)
    for (const [method, path] of responses)
      await withFault(makeFault(), target, { only: `${method} *${path}` }, async () => {
        expect(await ask(method, path)).toBe(`${path.slice(1)} `)
        expect(await ask('GET', '/200')).toBe('200 answer')
      })
  })

  it('is what answer-requests gives to HEAD', async () => {
    const { ask, target } = connect(await serve(answering))
    await withFault(answerRequests({ body: 'sorry' }), target, { limit: 1 }, async () => {
      expect(await ask('HEAD', '/200')).toBe('503 ')
      expect(await ask('GET', '/200')).toBe('200 answer')
    })
  })
})
