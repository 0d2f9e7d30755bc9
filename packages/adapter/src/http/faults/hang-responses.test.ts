import { inject } from '@chaos/core'
import { EventEmitter, once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { askings } from '../../../test/http-clients.js'
import { answering, serve } from '../../../test/http.js'
import { rejection } from '../../../test/rejection.js'
import { hangResponses } from './hang-responses.js'

describe.each(Object.entries(askings))('hangResponses, with %s', (_name, { target, ask }) => {
  it.each([0, 5])('stops after %i bytes of the body, and goes on when it ends', async (afterBytes) => {
    const server = await serve(answering('hello, world', 'content-length'))
    const injection = await inject(hangResponses({ afterBytes }), target(server), { limit: 1 })
    const [pieces, answered] = [[] as string[], vi.fn()]
    const asking = ask(server.origin, undefined, (piece) => pieces.push(piece))
    void asking.then(answered)
    await vi.waitFor(() => expect(injection.held, 'the response, and what is kept of it').toBeGreaterThan(1))
    if (afterBytes > 0) await vi.waitFor(() => expect(pieces).toEqual(['hello']))
    expect([pieces.join(''), answered.mock.calls.length, server.requests]).toEqual([
      afterBytes === 0 ? '' : 'hello',
      0,
      ['GET /'],
    ])
    await injection.rollback()
    expect((await asking).text).toBe('hello, world')
    expect((await ask(server.origin)).text).toBe('hello, world')
  })

  it("ends in the middle of a body with the caller's own signal, as a body does that really stops", async () => {
    const reason = new Error('enough')
    const ended = async (origin: string): Promise<unknown> => {
      const controller = new AbortController()
      const error = await rejection(ask(origin, controller.signal, () => controller.abort(reason)))
      return error === reason ? 'the reason' : [describeError(error), error.cause === reason]
    }
    const stopping = await serve((_request, response) => void response.write('hello'))
    const real = await ended(stopping.origin)
    const server = await serve(answering('hello, world', 'chunked'))
    const injection = await inject(hangResponses({ afterBytes: 8 }), target(server))
    expect(await ended(server.origin)).toEqual(real)
    await vi.waitFor(() => expect(injection.held, 'what is kept of a response that nobody waits for').toBe(0))
    await injection.rollback()
    expect((await ask(server.origin)).text).toBe('hello, world')
  })
})

describe('hangResponses, at a server', () => {
  it('keeps a response unfinished that ends after its body, so that closing idle connections loses nothing', async () => {
    const [told, finished] = [new EventEmitter(), vi.fn()]
    const { origin, server } = await serve((_request, response) => {
      response.on('finish', finished)
      response.writeHead(200, { 'content-length': 6 }).write('answer')
      setImmediate(() => {
        response.end()
        told.emit('ended')
      })
    })
    const injection = await inject(hangResponses(), server)
    const ended = once(told, 'ended')
    const answer = fetch(origin)
    await ended
    await new Promise(setImmediate)
    expect(finished).not.toHaveBeenCalled()
    server.closeIdleConnections()
    await injection.rollback()
    expect(await (await answer).text()).toBe('answer')
    expect(finished).toHaveBeenCalled()
  })
})
