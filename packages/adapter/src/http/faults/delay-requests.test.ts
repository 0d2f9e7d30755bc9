import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import http from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { askings } from '../../../test/http-clients.js'
import { serve } from '../../../test/http.js'
import { rejection } from '../../../test/rejection.js'
import { delayRequests } from './delay-requests.js'

describe.each(Object.entries(askings))('delayRequests, with %s', (_name, { target, ask }) => {
  it('lets the service get them late, and their callers the answers', async () => {
    const [server, clock] = [await serve(), manualClock()]
    await withFault(delayRequests({ delayMs: 100 }), target(server), { clock, limit: 1 }, async (injection) => {
      const asking = ask(`${server.origin}/items`)
      await vi.waitFor(() => expect(injection.held).toBe(1))
      await clock.advance(99)
      expect(injection.held).toBe(1)
      await clock.advance(1)
      expect((await asking).text).toBe('answer')
    })
  })

  it("ends with the caller's own signal, at once, as a request does that a service leaves hanging", async () => {
    const reason = new Error('enough')
    const heardOf = async (waiting: () => Promise<unknown>, url: string): Promise<unknown> => {
      const controller = new AbortController()
      const asking = rejection(ask(url, controller.signal))
      await waiting()
      controller.abort(reason)
      const error = await asking
      return error === reason ? 'the reason' : [describeError(error), error.cause === reason]
    }
    const silent = await serve(() => undefined)
    const real = await heardOf(() => vi.waitFor(() => expect(silent.requests).toHaveLength(1)), silent.origin)
    const server = await serve()
    await withFault(delayRequests({ delayMs: 60_000 }), target(server), async (injection) => {
      expect(await heardOf(() => vi.waitFor(() => expect(injection.held).toBe(1)), server.origin)).toEqual(real)
      await vi.waitFor(() => expect(injection.held).toBe(0))
    })
    expect((await ask(server.origin)).text).toBe('answer')
  })

  it('lets go of them when it ends', async () => {
    const server = await serve()
    const injection = await inject(delayRequests({ delayMs: 60_000, jitterMs: 5 }), target(server))
    const asking = Promise.all([ask(server.origin), ask(server.origin)])
    await vi.waitFor(() => expect(injection.held).toBe(2))
    await injection.rollback()
    expect((await asking).map(({ text }) => text)).toEqual(['answer', 'answer'])
  })
})

describe('a request that cannot even be begun', () => {
  it('throws to whoever asks by node:http, as without the fault', async () => {
    await withFault(delayRequests({ delayMs: 100 }), http, (injection) => {
      expect(() => http.get({ host: '127.0.0.1', port: 70_000 })).toThrow(
        expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' }) as Error,
      )
      expect(injection.seen).toBe(0)
    })
  })

  it.each([
    [
      'in the interface of undici up to 6',
      { onConnect: () => undefined, onHeaders: () => true, onData: () => true, onComplete: () => undefined },
      'onError',
    ],
    ['in the interface of undici from 7 on', { onRequestStart: () => undefined }, 'onResponseError'],
  ] as const)('tells whoever asked by a dispatcher, %s', async (_interface, handler, onError) => {
    const error = new Error('no such service')
    const dispatcher = {
      dispatch: (_options: object, _handler: object): boolean => {
        throw error
      },
    }
    const told: unknown[] = []
    const injection = await inject(delayRequests({ delayMs: 100 }), dispatcher)
    dispatcher.dispatch(
      { origin: 'http://127.0.0.1', path: '/', method: 'GET' },
      { ...handler, [onError]: (...args: unknown[]) => told.push(args.at(-1)) },
    )
    await injection.rollback()
    expect(told).toEqual([error])
  })
})
