import { once } from 'node:events'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { manualClock } from '@chaos/core/testing'
import { ask, isEnd, mounted, nextEntry, testChaos, TOKEN, type Answer } from '../../test/support.js'
import { signedIn } from '../../test/visitor.js'
import { createSessions, SESSION_MS } from '../page/sessions.js'

const code = ({ text }: Answer): string =>
  (JSON.parse(text) as { readonly error: { readonly code: string } }).error.code

/** Opens the event stream. @returns The status, and the first message if it opened. */
function stream(
  url: string,
  headers: Record<string, string>,
): Promise<{
  readonly status: number
  readonly hello?: { readonly connection: string }
  readonly close: () => void
  readonly closed: Promise<unknown>
}> {
  const socket = new WebSocket(`${url.replace('http:', 'ws:')}/events`, 'chaos.v1', { headers })
  onTestFinished(() => socket.terminate())
  const close = (): void => socket.close()
  const closed = new Promise((resolve) => socket.once('close', resolve))
  return new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.once('message', (data: Buffer) =>
      resolve({ status: 101, hello: JSON.parse(data.toString()) as { readonly connection: string }, close, closed }),
    )
    socket.on('unexpected-response', (_req, res) => resolve({ status: res.statusCode ?? 0, close, closed }))
  })
}

/** A request with a cookie, as far as sessions look at it. */
function requestWith(cookie: string): IncomingMessage {
  const req = new IncomingMessage(new Socket())
  req.headers = { host: 'localhost:1', cookie }
  return req
}

const DROP = { target: 'bus', fault: 'drop-events' }

describe('the API by the cookie of a session', () => {
  it('answers reading by the cookie alone, to pages of this server', async () => {
    const { url } = await mounted(testChaos().controller, { allowedOrigins: ['http://localhost:5173'] })
    const browser = await signedIn(url)
    for (const headers of [{}, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])
      expect((await browser.call('GET', '/injections', headers)).status).toBe(200)
    for (const headers of [
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      // It may use the token, not the sessions of others.
      { origin: 'http://localhost:5173' },
    ]) {
      const answer = await browser.call('GET', '/injections', headers)
      expect([answer.status, code(answer)], JSON.stringify(headers)).toEqual([403, 'CHAOS_FORBIDDEN'])
    }
  })

  it('changes something only with what the page knows', async () => {
    const { controller } = testChaos()
    const { url } = await mounted(controller)
    const browser = await signedIn(url)
    const other = await signedIn(url)
    for (const headers of [{}, { 'x-chaos-csrf': '' }, { 'x-chaos-csrf': other.csrf }, { 'x-chaos-csrf': TOKEN }]) {
      for (const [method, path, body] of [
        ['POST', '/injections', DROP],
        ['POST', '/checks', DROP],
        ['DELETE', '/injections', undefined],
      ] as const) {
        const answer = await browser.call(method, path, headers, body)
        expect([answer.status, code(answer)], `${method} ${path}`).toEqual([403, 'CHAOS_FORBIDDEN'])
      }
    }
    const own = { 'x-chaos-csrf': browser.csrf, origin: new URL(url).origin, 'sec-fetch-site': 'same-origin' }
    expect((await browser.call('POST', '/injections', { ...own, 'sec-fetch-site': 'same-site' }, DROP)).status).toBe(
      403,
    )
    expect((await browser.call('POST', '/injections', own, DROP)).status).toBe(201)
    expect((await browser.call('DELETE', '/injections', own)).status).toBe(200)
  })

  it('opens the event stream to pages of this server alone, and holds what they inject', async () => {
    const { controller } = testChaos()
    const { url } = await mounted(controller)
    const { cookie, csrf, call } = await signedIn(url)
    const { origin } = new URL(url)
    for (const headers of [{ cookie }, { cookie, origin: 'http://evil.example' }, { cookie, origin: 'null' }])
      expect((await stream(url, headers)).status, JSON.stringify(headers)).toBe(403)
    expect((await stream(url, { cookie: 'chaos-session-1=guessed', origin })).status).toBe(401)
    const { status, hello, close } = await stream(url, { cookie, origin })
    expect(status).toBe(101)
    const held = await call('POST', '/injections', { 'x-chaos-csrf': csrf }, { ...DROP, connection: hello?.connection })
    expect(held.status).toBe(201)
    const ended = nextEntry(controller, isEnd())
    close()
    expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
  })

  it('ends the event stream with the session, whether it is signed out or over', async () => {
    const clock = manualClock()
    const { url } = await mounted(testChaos().controller, { clock })
    for (const end of ['sign out', 'wait'] as const) {
      const { cookie, csrf, post } = await signedIn(url)
      const { status, closed } = await stream(url, { cookie, origin: new URL(url).origin })
      expect(status).toBe(101)
      if (end === 'wait') await clock.advance(SESSION_MS)
      else await post('/sign-out', { csrf })
      await closed
    }
  })

  it('watches a connection once, however many requests it carries', async () => {
    const sessions = createSessions('/chaos', manualClock())
    const socket = new PassThrough()
    onTestFinished(() => sessions.close())
    const [cookie = ''] = sessions.begin(requestWith('')).split(';')
    for (let count = 0; count < 20; count += 1) sessions.of(requestWith(cookie))?.hold(socket)
    expect(socket.listenerCount('close')).toBe(1)
    const closed = once(socket, 'close')
    sessions.end(requestWith(cookie))
    await closed
  })

  it('goes by the token where there is one', async () => {
    const { url } = await mounted(testChaos().controller)
    const { cookie } = await signedIn(url)
    const sent = (authorization: string, method = 'GET'): Promise<number> =>
      ask(`${url}/injections`, { method, headers: { authorization, cookie } }).then(({ status }) => status)
    expect(await sent('Bearer of-something-else-entirely')).toBe(401)
    expect(await sent(`Bearer ${TOKEN}`, 'DELETE')).toBe(200)
    // A browser sends these by itself, to an app behind a password of its own.
    expect(await sent('Basic YTpi')).toBe(200)
  })

  it('counts like requests with the token, and stopping does not count', async () => {
    const clock = manualClock()
    const { url } = await mounted(testChaos().controller, { clock, maxRequestsPerSecond: 3 })
    const browser = await signedIn(url)
    const info = (): Promise<number> => browser.call('GET', '/info').then(({ status }) => status)
    expect([await info(), await info(), await info()]).toEqual([200, 200, 429])
    expect((await browser.call('DELETE', '/injections', { 'x-chaos-csrf': browser.csrf })).status).toBe(200)
  })
})
