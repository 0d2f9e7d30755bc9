import { inject, withFault } from '@chaos/core'
import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { askings } from '../../../test/http-clients.js'
import { answering, serve } from '../../../test/http.js'
import { corruptResponses } from './corrupt-responses.js'

describe.each(Object.entries(askings))('corruptResponses, with %s', (_name, { target, ask }) => {
  it('garbles one bit of a body, and the response succeeds', async () => {
    for (const framing of ['content-length', 'chunked'] as const) {
      const server = await serve(answering('{"answer":42}', framing))
      const { status, text } = await withFault(
        corruptResponses(),
        target(server),
        { only: 'GET */items', seed: 1 },
        () => ask(`${server.origin}/items`),
      )
      const [was, is] = [Buffer.from('{"answer":42}'), Buffer.from(text, 'utf8')]
      expect([status, text === was.toString()]).toEqual([200, false])
      if (!text.includes('\ufffd')) expect([...was].filter((byte, index) => byte !== is[index])).toHaveLength(1)
      expect((await ask(`${server.origin}/items`)).text).toBe('{"answer":42}')
    }
  })

  it('takes an empty body for no piece', async () => {
    const server = await serve(answering('', 'chunked'))
    await withFault(corruptResponses(), target(server), async (injection) => {
      expect((await ask(server.origin)).text).toBe('')
      expect(injection.seen).toBe(0)
    })
  })

  it('cuts pieces short, or empties them, where no length was announced', async () => {
    const server = await serve(answering('abcdefgh', 'chunked'))
    const heard = async (damage: 'truncate' | 'empty'): Promise<string> =>
      (await withFault(corruptResponses({ damage }), target(server), () => ask(server.origin))).text
    expect([await heard('truncate'), await heard('empty')]).toEqual(['abcd', ''])
  })

  it('damages the piece that is meant, and no other', async () => {
    const server = await serve((_request, response) => {
      response.write('one ')
      setImmediate(() => {
        response.write('two ')
        setImmediate(() => response.end('three'))
      })
    })
    await withFault(
      corruptResponses({ damage: 'empty' }),
      target(server),
      { skip: 1, limitPerOperation: 1 },
      async (injection) => {
        const { text } = await ask(server.origin)
        expect('one two three'.startsWith(text.slice(0, 4))).toBe(true)
        expect(injection.affected).toBe(Math.min(1, injection.seen - 1))
      },
    )
  })
})

describe('a length that a handler announces', () => {
  const ways: Readonly<Record<string, http.RequestListener>> = {
    'in an object': (_request, response) => void response.writeHead(200, { 'Content-Length': 8 }).end('abcdefgh'),
    'in a flat list': (_request, response) => void response.writeHead(200, ['CONTENT-LENGTH', '8']).end('abcdefgh'),
    'after a status message': (_request, response) =>
      void response.writeHead(200, 'Fine', { 'content-length': '8' }).end('abcdefgh'),
    'by setHeader': (_request, response) => void response.setHeader('content-length', 8).end('abcdefgh'),
    'by setHeader and writeHead': (_request, response) =>
      void response.setHeader('x-a', 'b').writeHead(200, { 'Content-length': 8 }).end('abcdefgh'),
    'behind early hints': (_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.writeHead(200, { 'content-length': 8 }).write('abcd')
      response.end('efgh')
    },
  }
  it.each(Object.entries(ways))('%s stays the length of the body', async (_way, onRequest) => {
    const server = await serve(onRequest)
    await withFault(corruptResponses({ damage: 'truncate' }), server.server, async (injection) => {
      const response = await fetch(server.origin)
      const body = Buffer.from(await response.arrayBuffer())
      expect([response.headers.get('content-length'), body.length]).toEqual(['8', 8])
      expect(injection.affected).toBeGreaterThan(0)
    })
  })

  it('that nobody announces becomes that of the damaged body', async () => {
    const server = await serve((_request, response) => void response.end('abcdefgh'))
    await withFault(corruptResponses({ damage: 'truncate' }), server.server, async () => {
      const response = await fetch(server.origin)
      expect([response.headers.get('content-length'), await response.text()]).toEqual(['4', 'abcd'])
    })
  })
})

it('damages what is still written to responses that were open before it', async () => {
  let open: http.ServerResponse | undefined
  const { origin, server } = await serve((_request, response) => {
    open = response
    response.write('one ')
  })
  const { body } = await fetch(`${origin}/stream`)
  await withFault(corruptResponses({ damage: 'empty' }), server, { only: 'GET /stream' }, async (injection) => {
    open?.end('two')
    let text = ''
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString()
    expect([text, injection.affected]).toEqual(['one ', 1])
  })
})

it('reaches requests that wait for "100 Continue"', async () => {
  const server = await serve()
  server.server.on('checkContinue', (_request, response: http.ServerResponse) => {
    response.writeContinue()
    response.end('abcdefgh')
  })
  await withFault(corruptResponses({ damage: 'truncate' }), server.server, async () => {
    const request = http.get(server.origin, { headers: { expect: '100-continue' } })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    expect(await text(response)).toBe('abcd')
  })
})

it('leaves nothing behind on a response that is still open when it ends', async () => {
  let open: http.ServerResponse | undefined
  const { origin, server } = await serve((_request, response) => {
    open = response
    response.write('one ')
  })
  const injection = await inject(corruptResponses(), server, { limit: 1_000 })
  const { body } = await fetch(origin)
  await injection.rollback()
  expect(Object.hasOwn(open as object, 'write') || Object.hasOwn(open as object, 'end')).toBe(false)
  open?.end('two')
  const texts: string[] = []
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) texts.push(Buffer.from(chunk).toString())
  expect(texts.at(-1)).toBe('two')
})
