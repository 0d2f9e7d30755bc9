import { describe, expect, it } from 'vitest'
import { manualClock } from '@chaos/core/testing'
import { ask, mounted, testChaos, TOKEN } from '../../test/support.js'
import { signedIn, visitor } from '../../test/visitor.js'
import { SESSION_MS } from './sessions.js'

describe('who has not signed in', () => {
  it('gets the form, with headers that let nothing in from elsewhere', async () => {
    const { url } = await mounted(testChaos().controller)
    const form = await visitor(url).get('/')
    expect(form.status).toBe(401)
    expect(form.text).toContain('<form method="post" action="./sign-in">')
    expect(form.text).not.toContain('chaos-csrf')
    expect(form.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      'www-authenticate': 'Bearer',
    })
    expect((await visitor(url).get('/info')).status).toBe(401)
  })

  it('cannot send a form that changes something', async () => {
    const { chaos, controller } = testChaos()
    const { url } = await mounted(controller)
    const kept = await chaos.inject('bus', 'drop-events', {}, { id: 'kept' })
    for (const path of ['/stop-all', '/injections/kept/stop', '/sign-out']) {
      const refused = await visitor(url).post(path, { csrf: 'guessed' })
      expect(refused.status, path).toBe(401)
      expect(refused.text).toContain('The session has ended, and nothing was changed.')
    }
    expect(kept.status).toBe('active')
  })
})

describe('signing in', () => {
  it('takes the token in a form, and gives a cookie that only this mount gets', async () => {
    const { url, port } = await mounted(testChaos().controller)
    const answer = await visitor(url).post('/sign-in', { token: TOKEN })
    expect(answer).toMatchObject({ status: 303, headers: { location: './' } })
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^chaos-session-${port}=[\\w-]{43}; Path=/chaos; Max-Age=43200; HttpOnly; SameSite=Strict$`),
      ),
    ])
    const browser = await signedIn(url)
    expect((await browser.get('/')).status).toBe(200)
    expect(await browser.get('/sign-in')).toMatchObject({ status: 303, headers: { location: './' } })
  })

  it('marks the cookie as secure where the browser came by TLS', async () => {
    const { url } = await mounted(testChaos().controller)
    const answer = await visitor(url).post(
      '/sign-in',
      { token: TOKEN },
      { origin: url.replace('http:', 'https:').replace('/chaos', '') },
    )
    expect(answer.headers['set-cookie']).toEqual([expect.stringMatching(/; Secure$/)])
  })

  it('refuses other tokens, in any answer without repeating one', async () => {
    const { url } = await mounted(testChaos().controller)
    for (const token of ['', TOKEN.slice(1), `${TOKEN}x`, 'x'.repeat(4_000)]) {
      const answer = await visitor(url).post('/sign-in', { token })
      expect([answer.status, answer.headers['set-cookie']], token).toEqual([401, undefined])
      expect(answer.text).toContain('The token is wrong.')
      expect(answer.text).not.toContain(TOKEN.slice(1))
    }
    expect((await visitor(url).get(`/?token=${TOKEN}`)).status).toBe(401)
    expect((await visitor(url).get(`/sign-in?token=${TOKEN}`)).text).not.toContain(TOKEN)
  })

  it('takes nothing but a small form', async () => {
    const { url } = await mounted(testChaos().controller)
    const json = { 'content-type': 'application/json' }
    expect((await visitor(url).post('/sign-in', { token: TOKEN }, json)).status).toBe(415)
    expect((await visitor(url).post('/sign-in', { token: 'x'.repeat(9_000) })).status).toBe(413)
    const got = await visitor(url).get('/sign-in', {}, 'PUT')
    expect(got).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, POST' } })
  })

  it('counts wrong tokens as the API does, and takes the right one meanwhile', async () => {
    const clock = manualClock()
    const { url } = await mounted(testChaos().controller, { clock, maxRequestsPerSecond: 2 })
    const guess = (): Promise<number> =>
      visitor(url)
        .post('/sign-in', { token: 'wrong' })
        .then(({ status }) => status)
    expect([await guess(), await guess(), await guess()]).toEqual([401, 401, 429])
    expect((await ask(`${url}/info`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(429)
    expect((await visitor(url).post('/sign-in', { token: TOKEN })).status).toBe(303)
  })

  it('refuses forms of pages of other origins', async () => {
    const { url } = await mounted(testChaos().controller, { allowedOrigins: ['http://localhost:5173'] })
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:5173' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { host: 'evil.example', origin: 'http://evil.example' },
      { 'x-forwarded-for': '127.0.0.1' },
    ]) {
      const answer = await visitor(url).post('/sign-in', { token: TOKEN }, headers)
      expect([answer.status, answer.headers['set-cookie']], JSON.stringify(headers)).toEqual([403, undefined])
    }
  })
})

describe('a session', () => {
  it('gets the files of the page, however many requests without one come', async () => {
    const clock = manualClock()
    const { url } = await mounted(testChaos().controller, { clock, maxRequestsPerSecond: 1 })
    const browser = await signedIn(url)
    expect([(await visitor(url).get('/')).status, (await visitor(url).get('/')).status]).toEqual([401, 429])
    expect((await visitor(url).get('/page.css')).status).toBe(429)
    expect((await browser.get('/page.css')).status).toBe(200)
  })

  it('ends when the browser signs out', async () => {
    const { url } = await mounted(testChaos().controller)
    const browser = await signedIn(url)
    const { cookie, csrf } = browser
    expect((await browser.post('/sign-out', { csrf: 'another' })).status).toBe(403)
    const out = await browser.post('/sign-out', { csrf })
    expect(out.headers['set-cookie']).toEqual([expect.stringContaining('Max-Age=0')])
    browser.cookie = cookie
    expect((await browser.get('/')).status).toBe(401)
    expect((await browser.call('GET', '/info')).status).toBe(401)
  })

  it('ends after 12 hours, however often it is used', async () => {
    const clock = manualClock()
    const { url } = await mounted(testChaos().controller, { clock })
    const browser = await signedIn(url)
    await clock.advance(SESSION_MS - 1)
    expect((await browser.get('/')).status).toBe(200)
    await clock.advance(1)
    expect((await browser.get('/')).status).toBe(401)
  })

  it('is one of 32: the one that was used longest ago makes room', async () => {
    const { url } = await mounted(testChaos().controller, { maxRequestsPerSecond: 1_000 })
    const first = await signedIn(url)
    const second = await signedIn(url)
    await first.get('/')
    for (let n = 0; n < 31; n += 1) await visitor(url).post('/sign-in', { token: TOKEN })
    expect((await first.get('/')).status).toBe(200)
    expect((await second.get('/')).status).toBe(401)
  })

  it('is of one app, although browsers send the cookies of a host to each of its ports', async () => {
    const one = await mounted(testChaos().controller)
    const other = await mounted(testChaos().controller)
    const browsers = [await signedIn(one.url), await signedIn(other.url)] as const
    const both = browsers.map(({ cookie }) => cookie).join('; ')
    for (const browser of browsers) expect((await browser.get('/', { cookie: both })).status).toBe(200)
    expect((await visitor(one.url).get('/', { cookie: browsers[1].cookie })).status).toBe(401)
  })

  it('takes the place of the one that the browser had', async () => {
    const { url } = await mounted(testChaos().controller)
    const browser = await signedIn(url)
    const { cookie } = browser
    await browser.post('/sign-in', { token: TOKEN })
    expect((await browser.get('/')).status).toBe(200)
    expect((await visitor(url).get('/', { cookie })).status).toBe(401)
  })

  it('finds its cookie among many others', async () => {
    const { url } = await mounted(testChaos().controller)
    const browser = await signedIn(url)
    const [name = ''] = browser.cookie.split('=')
    expect((await browser.get('/', { cookie: `a=b; ${name}=stale;${browser.cookie} ; c` })).status).toBe(200)
    expect((await browser.get('/', { cookie: `${name}=; ${name}` })).status).toBe(401)
  })
})

describe('a one-time path', () => {
  it('signs in one browser, once', async () => {
    const { url, handler } = await mounted(testChaos().controller)
    const path = handler.oneTimePath().replace('/chaos', '')
    expect(path).toMatch(/^\/sign-in\?once=[\w-]{43}$/)
    const browser = visitor(url)
    expect(await browser.get(path, { 'sec-fetch-site': 'none' })).toMatchObject({
      status: 303,
      headers: { location: './' },
    })
    expect((await browser.get('/')).status).toBe(200)
    const again = await visitor(url).get(path)
    expect([again.status, again.headers['set-cookie']]).toEqual([401, undefined])
    expect(again.text).toContain('This address has been used, or is older than a minute.')
  })

  it('is good for a minute', async () => {
    const clock = manualClock()
    const { url, handler } = await mounted(testChaos().controller, { clock })
    const [inTime, late] = [handler.oneTimePath(), handler.oneTimePath()].map((path) => path.replace('/chaos', ''))
    await clock.advance(59_999)
    expect((await visitor(url).get(inTime ?? '')).status).toBe(303)
    await clock.advance(1)
    expect((await visitor(url).get(late ?? '')).status).toBe(401)
  })

  it('is not used up by a browser that only looks ahead, nor by a guess', async () => {
    const { url, handler } = await mounted(testChaos().controller)
    const path = handler.oneTimePath().replace('/chaos', '')
    expect((await visitor(url).get(path, {}, 'HEAD')).status).toBe(400)
    expect((await visitor(url).get(path, { 'sec-purpose': 'prefetch;prerender' })).status).toBe(400)
    expect((await visitor(url).get(`${path}x`)).status).toBe(401)
    expect((await visitor(url).get('/sign-in?once=')).status).toBe(401)
    expect((await visitor(url).get(path)).status).toBe(303)
  })

  it('is tried by pages of other origins only where the browser goes there, so that they keep nobody out', async () => {
    const clock = manualClock()
    const { url, handler } = await mounted(testChaos().controller, { clock, maxRequestsPerSecond: 2 })
    const path = handler.oneTimePath().replace('/chaos', '')
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    for (const image of [1, 2, 3])
      expect((await visitor(url).get(`/sign-in?once=${image}`, { ...link, 'sec-fetch-dest': 'image' })).status).toBe(
        403,
      )
    expect((await visitor(url).get('/sign-in?once=guess', link)).status).toBe(401)
    expect((await visitor(url).get(path, link)).status).toBe(303)
  })

  it('is not made without a page', async () => {
    const { url, handler } = await mounted(testChaos().controller, { page: false })
    expect(() => handler.oneTimePath()).toThrow('serves no page')
    expect((await visitor(url).get('/sign-in?once=x')).status).toBe(401)
  })
})
