import { inject, type Fault, type Injection } from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { askings } from '../../../test/http-clients.js'
import { serve, type HttpServer } from '../../../test/http.js'
import type { HttpTarget } from '../target.js'
import { answerRequests } from './answer-requests.js'
import { corruptResponses } from './corrupt-responses.js'
import { delayRequests } from './delay-requests.js'
import { hangRequests } from './hang-requests.js'

describe.each(Object.entries(askings))('several faults on one request, with %s', (_name, { target, ask }) => {
  let server: HttpServer
  let clock: ManualClock
  beforeEach(async () => {
    server = await serve()
    clock = manualClock()
  })

  const over = async (fault: Fault<HttpTarget>): Promise<Injection> => {
    const injection = await inject(fault, target(server), { clock })
    onTestFinished(() => injection.rollback().then(() => undefined))
    return injection
  }
  const held = (injection: Injection): Promise<unknown> => vi.waitFor(() => expect(injection.held).toBe(1))
  const counts = ({ seen, affected }: Injection): readonly number[] => [seen, affected]

  it('hold a request until each of them has let it go', async () => {
    const inner = await over(delayRequests({ delayMs: 20 }))
    const outer = await over(delayRequests({ delayMs: 50 }))
    const answered = vi.fn()
    const asking = ask(server.origin).then(answered)
    await held(outer)
    await clock.advance(49)
    expect(answered).not.toHaveBeenCalled()
    await vi.waitFor(async () => {
      await clock.advance(20)
      expect(answered).toHaveBeenCalledTimes(1)
    })
    await asking
    expect([inner, outer].map(counts)).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  it('let go of a request each on its own, when they end', async () => {
    const inner = await over(hangRequests())
    const outer = await over(hangRequests())
    const answered = vi.fn()
    const asking = ask(server.origin).then(answered)
    await held(outer)
    await outer.rollback()
    await held(inner)
    expect(answered).not.toHaveBeenCalled()
    await inner.rollback()
    await asking
  })

  it('answer late what one delays and another answers', async () => {
    const inner = await over(answerRequests({ answer: 'http/500' }))
    const outer = await over(delayRequests({ delayMs: 50 }))
    const asking = ask(server.origin)
    await held(outer)
    await clock.advance(50)
    expect((await asking).status).toBe(500)
    expect([inner, outer].map(counts)).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  it('damage a response twice', async () => {
    const truncate = { damage: 'truncate' } as const
    const inner = await over(corruptResponses(truncate))
    const outer = await over(corruptResponses(truncate))
    expect((await ask(server.origin)).text).toBe('a')
    expect([inner, outer].map(counts)).toEqual([
      [1, 1],
      [1, 1],
    ])
  })
})
