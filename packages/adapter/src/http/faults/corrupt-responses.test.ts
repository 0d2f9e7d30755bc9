import { inject, withFault } from '@chaos/core'
import type http from 'node:http'
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
