import { request, type IncomingMessage } from 'node:http'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { manualClock } from '@chaos/core/testing'
import { ask, isEnd, mounted, nextEntry, testChaos, TOKEN } from '../../test/support.js'
import { HEARTBEAT_MS, MAX_STREAMS, RESUME_MS } from './event-stream.js'
import { MAX_RECENT } from './recent-messages.js'

interface Message {
  readonly type: string
  readonly connection?: string
  readonly missed?: number | null
  readonly hits?: number
  readonly entry?: { readonly type: string; readonly call?: number }
}

/** Follows the events over plain HTTP. */
async function followed(url: string, lastId?: string) {
  const { hostname, port, pathname } = new URL(`${url}/events`)
  const req = request({
    hostname,
    port,
    path: pathname,
    agent: false,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      accept: 'text/event-stream',
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    },
  })
  req.on('error', () => undefined).end()
  onTestFinished(() => void req.destroy())
  const res = await new Promise<IncomingMessage>((resolve) => req.once('response', resolve))
  let text = ''
  res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  res.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => res.once('close', resolve))
  const blocks = (): readonly string[] => text.split('\n\n').slice(0, -1)
  const messages = (): readonly Message[] =>
    blocks()
      .flatMap((block) => /^data: (.*)$/m.exec(block)?.slice(1) ?? [])
      .map((data) => JSON.parse(data) as Message)
  await vi.waitFor(() => expect(messages()[0]).toMatchObject({ type: 'hello' }))
  return {
    res,
    closed,
    blocks,
    messages,
    types: () => messages().map(({ entry, type }) => entry?.type ?? type),
    lastId: () =>
      /^id: (.*)$/m.exec(
        blocks()
          .filter((block) => block.startsWith('id:'))
          .at(-1) ?? '',
      )?.[1] ?? '',
    async leave() {
      req.destroy()
      await closed
    },
  }
}

async function scene() {
  const clock = manualClock(1_000_000)
  const { bus, chaos, controller } = testChaos()
  let followers = 0
  const counted = {
    ...controller,
    follow: (listener: Parameters<typeof controller.follow>[0]) => {
      followers += 1
      const stop = controller.follow(listener)
      return () => {
        followers -= 1
        stop()
      }
    },
  }
  const { url, handler } = await mounted(counted, { clock, maxRequestsPerSecond: 1_000 })
  return { clock, bus, chaos, url, handler, followers: () => followers }
}

describe('server-sent events', () => {
  it('are what a WebSocket gets, each with an id of its own', async () => {
    const { bus, chaos, url, handler } = await scene()
    const stream = await followed(url)
    expect(stream.res.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    })
    expect(stream.messages()[0]).toMatchObject({ type: 'hello', info: { environment: 'test' } })
    const injection = await chaos.inject('bus', 'drop-events', {}, { only: 'tick' })
    bus.emit('tick')
    await injection.rollback()
    handler.notify('alert', { text: 'two\nlines' })
    await vi.waitFor(() => expect(stream.types()).toEqual(['hello', 'armed', 'landed', 'hit', 'ended', 'app-event']))
    expect(stream.messages().at(-1)).toMatchObject({ event: { data: { text: 'two\nlines' } } })
    const ids = stream.blocks().flatMap((block) => /^id: (.*)$/m.exec(block)?.slice(1) ?? [])
    expect(new Set(ids).size).toBe(6)
  })

  it('hold an injection until the client leaves', async () => {
    const { chaos, url } = await scene()
    const stream = await followed(url)
    const body = { target: 'bus', fault: 'drop-events', connection: stream.messages()[0]?.connection }
    expect((await ask(`${url}/injections`, { method: 'POST', body })).status).toBe(201)
    const ended = nextEntry(chaos.controller, isEnd())
    await stream.leave()
    expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
  })

  it('go on after the last message that a client has', async () => {
    const { bus, chaos, url } = await scene()
    const stream = await followed(url)
    await chaos.inject('bus', 'drop-events')
    bus.emit('tick')
    await vi.waitFor(() => expect(stream.types()).toEqual(['hello', 'armed', 'landed', 'hit']))
    await stream.leave()
    bus.emit('tick')
    bus.emit('tick')
    const again = await followed(url, stream.lastId())
    await vi.waitFor(() => expect(again.types()).toEqual(['hello', 'hit', 'hit']))
    expect(again.messages()[0]?.missed).toBe(0)
    expect(again.messages().map(({ entry }) => entry?.call)).toEqual([undefined, 2, 3])
  })

  it('say how many messages are lost, if there were too many', async () => {
    const { chaos, url, handler } = await scene()
    const stream = await followed(url)
    const id = stream.lastId()
    await stream.leave()
    for (let n = 0; n < MAX_RECENT + 7; n += 1) handler.notify('tick', { n })
    await chaos.inject('bus', 'ring', { times: 1 })
    const again = await followed(url, id)
    expect(again.messages()[0]?.missed).toBe(10)
    await vi.waitFor(() => expect(again.messages()).toHaveLength(1 + MAX_RECENT))
    expect(again.types().slice(-3)).toEqual(['armed', 'landed', 'ended'])
  })

  it.each(['of-no-stream.5', 'x', `${'a'.repeat(12)}.1`])('do not know what is lost after %s', async (id) => {
    const { url } = await scene()
    expect((await followed(url, id)).messages()[0]?.missed).toBe(null)
  })

  it('are kept for a minute after the last client has left, and then nothing is followed', async () => {
    const { clock, url, followers } = await scene()
    const stream = await followed(url)
    expect(followers()).toBe(1)
    await stream.leave()
    await vi.waitFor(() => expect(clock.pending).toBe(1))
    await clock.advance(RESUME_MS - 1)
    expect(followers()).toBe(1)
    await clock.advance(1)
    expect([followers(), clock.pending]).toEqual([0, 0])
  })

  it('have heartbeats, which are comments', async () => {
    const { clock, url } = await scene()
    const stream = await followed(url)
    await clock.advance(HEARTBEAT_MS)
    await vi.waitFor(() => expect(stream.blocks()).toContain(': still here'))
  })

  it('count to the most streams, and are refused beyond', async () => {
    const { url } = await scene()
    for (let n = 0; n < MAX_STREAMS; n += 1) await followed(url)
    const refused = await ask(`${url}/events`, { headers: { accept: 'text/event-stream' } })
    expect([refused.status, refused.json()]).toMatchObject([429, { error: { code: 'CHAOS_TOO_MANY_REQUESTS' } }])
  })

  it('need a token', async () => {
    const { url } = await scene()
    const headers = { accept: 'text/event-stream', authorization: 'Bearer of-somebody-else' }
    expect((await ask(`${url}/events`, { headers })).status).toBe(401)
  })

  it('end with the endpoint', async () => {
    const { url, handler, followers, clock } = await scene()
    const stream = await followed(url)
    await handler.close()
    await stream.closed
    expect([followers(), clock.pending]).toEqual([0, 0])
  })

  it('end for a client that reads nothing', async () => {
    const { url, handler } = await scene()
    const stream = await followed(url)
    stream.res.pause()
    const data = { text: 'x'.repeat(60_000) }
    // One per turn, so that the server can notice what is not taken.
    for (let n = 0; n < 400; n += 1) {
      handler.notify('alert', data)
      await new Promise((resolve) => setImmediate(resolve))
    }
    stream.res.resume()
    await stream.closed
    expect(stream.messages().length).toBeLessThan(400)
  })
})
