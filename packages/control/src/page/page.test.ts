import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createChaos, inject, target, type ChaosController, type InjectionState } from '@chaos/core'
import { defineFault } from '@chaos/core/authoring'
import { manualClock } from '@chaos/core/testing'
import { ask, dropEvents, mounted, testChaos, TOKEN, type Answer } from '../../test/support.js'
import { csrfOf, signedIn, statusOf, visitor } from '../../test/visitor.js'
import { createHandler } from '../index.js'

describe('the page', () => {
  it('says what this is, what can be broken, and what is in force, without a script', async () => {
    const { chaos, controller } = testChaos()
    const { url } = await mounted(controller, {
      page: { name: 'the shop', pid: 4711, commandOptions: ['--pid', '4711'] },
    })
    const browser = await signedIn(url)
    expect((await browser.get('/')).text).toContain('Nothing is in force.')
    const unnamed = await signedIn((await mounted(controller)).url)
    expect((await unnamed.get('/')).text).toContain(`<meta name="chaos-pid" content="${process.pid}" />`)
    await chaos.inject('bus', 'drop-events', {}, { id: 'one/two#3' })
    await chaos.inject('bus', 'ring', { times: 1 })
    const { text } = await browser.get('/')
    for (const part of [
      '<title>1 in force – chaos in the shop</title>',
      '<meta name="chaos-name" content="the shop" />',
      '<meta name="chaos-pid" content="4711" />',
      '<meta name="chaos-command-options" content="[&#34;--pid&#34;,&#34;4711&#34;]" />',
      '<header id="chaos-header">',
      '<nav id="chaos-targets"',
      '<main id="chaos-injections">',
      '<aside id="chaos-form"',
      '<section id="chaos-timeline"',
      '<output id="chaos-status" aria-live="polite"></output>',
      '<dd>test</dd>',
      '<code>test/arm-slowly</code> Is long in coming.',
      'action="injections/one%2Ftwo%233/stop"',
      '<td>completed</td>',
      'STOP ALL',
    ])
      expect(text).toContain(part)
  })

  it('has one address, with a slash at its end, so that relative addresses in it are right', async () => {
    const { url } = await mounted(testChaos().controller, { basePath: '/internal/break.it' })
    const browser = visitor(url)
    expect(await browser.get('')).toMatchObject({ status: 303, headers: { location: 'break.it/' } })
    expect(new URL('break.it/', url).href).toBe(`${url}/`)
    expect((await browser.get('/')).status).toBe(401)
  })

  it('is for those who ask for HTML: to others the base path is as it was', async () => {
    const { url } = await mounted(testChaos().controller)
    const without = await mounted(testChaos().controller, { page: false })
    for (const path of ['', '/']) expect((await ask(`${url}${path}`)).status).toBe(404)
    for (const path of ['/', '/sign-in', '/page.js', '/page.css'])
      expect((await ask(`${without.url}${path}`, { headers: { accept: 'text/html' } })).status, path).toBe(404)
    expect((await ask(`${without.url}/stop-all`, { method: 'POST' })).status).toBe(404)
  })

  it('answers HEAD like GET, without the body, and leaves what there is to say to GET', async () => {
    const { url } = await mounted(testChaos().controller)
    const browser = await signedIn(url)
    await browser.post('/stop-all', { csrf: browser.csrf })
    const head = await browser.get('/', {}, 'HEAD')
    expect([head.status, head.text]).toEqual([200, ''])
    const get = await browser.get('/')
    expect(statusOf(get)).toContain('Nothing was in force.')
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.text)))
  })

  it('serves its script and style with or without a session, again only if they changed', async () => {
    const { url } = await mounted(testChaos().controller)
    for (const [path, type] of [
      ['/page.js', 'text/javascript; charset=utf-8'],
      ['/page.css', 'text/css; charset=utf-8'],
    ] as const) {
      const { status, headers, text } = await visitor(url).get(path, { accept: '*/*' })
      expect([status, headers['content-type']]).toEqual([200, type])
      expect(text.length).toBeGreaterThan(10)
      const etag = headers.etag ?? ''
      for (const tags of [etag, `W/${etag}`, `"another", ${etag}`])
        expect(await visitor(url).get(path, { 'if-none-match': tags })).toMatchObject({ status: 304, text: '' })
      expect((await visitor(url).get(path, { 'if-none-match': '"another"' })).status).toBe(200)
      expect(await visitor(url).get(path, {}, 'HEAD')).toMatchObject({ status: 200, text: '' })
      expect(
        (await visitor(url).get(path, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).status,
      ).toBe(403)
    }
  })

  it('sends a browser that comes from elsewhere on to itself, since no cookie comes along', async () => {
    const { url } = await mounted(testChaos().controller)
    const browser = await signedIn(url)
    const linked = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    const pass = await visitor(url).get('/', linked)
    expect(pass.status).toBe(200)
    expect(pass.text).toContain('<meta http-equiv="refresh" content="0; url=sign-in" />')
    expect(await browser.get('/sign-in', { 'sec-fetch-site': 'same-origin' })).toMatchObject({ status: 303 })
    expect((await browser.get('/', { ...linked, 'sec-fetch-dest': 'iframe' })).status).toBe(403)
    expect((await browser.get('/', { origin: 'http://evil.example' })).status).toBe(403)
  })
})

describe('names that a process chose', () => {
  const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;\u202e\u0000`

  it('are shown as text, wherever they stand', async () => {
    const { controller } = testChaos()
    const state = await controller.inject('bus', 'ring', { times: 1 })
    const hostile = { ...state, id: HOSTILE, fault: HOSTILE, target: HOSTILE, failures: [HOSTILE] }
    const live = {
      ...hostile,
      status: 'active',
      armedAt: HOSTILE as unknown as number,
      seen: HOSTILE as unknown as number,
    }
    const peer: ChaosController = {
      ...controller,
      info: async () => ({ ...(await controller.info()), environment: HOSTILE }),
      targets: () => Promise.resolve([{ name: HOSTILE, faults: [HOSTILE] }]),
      faults: () => Promise.resolve([{ name: HOSTILE, kind: 'standing', summary: HOSTILE, options: {} }]),
      injections: () => Promise.resolve([hostile, live as InjectionState]),
      stop: () => Promise.reject(new Error(HOSTILE)),
      stopAll: () => Promise.resolve({ stopped: [hostile] }),
    }
    const { url } = await mounted(peer, { page: { name: HOSTILE, commandOptions: [HOSTILE] } })
    const browser = await signedIn(url)
    const pages = [await browser.get('/'), await visitor(url).get('/'), await browser.post('/stop-all', {})]
    await browser.post('/stop-all', { csrf: browser.csrf })
    pages.push(await browser.get('/'))
    const [action = ''] = /injections\/[^"]+\/stop/.exec(pages[0]?.text ?? '') ?? []
    await browser.post(`/${action}`, { csrf: browser.csrf })
    pages.push(await browser.get('/'))
    expect(statusOf(pages[4] as Answer)).toContain('The stop failed: &#34;&#62;&#60;script&#62;')
    for (const { text } of pages) {
      const own = text.includes('chaos-csrf') ? ['<script src="page.js" defer>'] : []
      expect(text.match(/<script[^>]*>/g) ?? []).toEqual(own)
      expect(text).not.toMatch(/<img|\u202e/)
      expect(text).not.toContain('\u0000')
      expect(text).toContain('&#60;script&#62;')
    }
  })

  it('are cut, and so are lists', async () => {
    const { controller } = testChaos()
    const long = 'x'.repeat(10_000)
    const many: ChaosController = {
      ...controller,
      targets: () => Promise.resolve(Array.from({ length: 300 }, (_, n) => ({ name: `${n}${long}`, faults: [long] }))),
      faults: () => Promise.resolve([]),
    }
    const browser = await signedIn((await mounted(many)).url)
    const { text } = await browser.get('/')
    expect(text).toContain('and 100 more')
    expect(text.length).toBeLessThan(2_000_000)
  })
})

describe('STOP ALL by a form', () => {
  it('ends every injection of the process, and says so once', async () => {
    const { chaos, controller } = testChaos()
    const { url } = await mounted(controller)
    const browser = await signedIn(url)
    const mine = await chaos.inject('bus', 'drop-events', {}, { id: 'mine' })
    const bare = await inject(dropEvents(), new EventEmitter())
    const answer = await browser.post('/stop-all', { csrf: browser.csrf })
    expect(answer).toMatchObject({ status: 303, headers: { location: './' } })
    expect([mine.status, bare.status]).toEqual(['ended', 'ended'])
    const page = await browser.get('/')
    expect(statusOf(page)).toContain('Stopped: 2 injections.')
    expect(statusOf(page)).toContain('mine: stopped, 0 of 0 operations affected')
    expect(statusOf(await browser.get('/'))).toBe('')
  })

  it('needs what only the page knows', async () => {
    const { chaos, controller } = testChaos()
    const { url } = await mounted(controller)
    const browser = await signedIn(url)
    const other = await signedIn(url)
    const kept = await chaos.inject('bus', 'drop-events')
    const { csrf } = browser
    for (const [fields, headers, status] of [
      [{}, {}, 400],
      [{ csrf: '' }, {}, 403],
      [{ csrf: other.csrf }, {}, 403],
      [{ csrf: `${csrf}x` }, {}, 403],
      [{ csrf }, { origin: 'http://evil.example' }, 403],
      [{ csrf }, { origin: 'null' }, 403],
      [{ csrf }, { 'sec-fetch-site': 'same-site' }, 403],
      [{ csrf }, { 'content-type': 'text/plain' }, 415],
      [{ csrf }, { host: 'evil.example' }, 403],
    ] as const)
      expect((await browser.post('/stop-all', fields, headers)).status, JSON.stringify([fields, headers])).toBe(status)
    expect(await browser.get('/stop-all')).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(kept.status).toBe('active')
  })

  it('is never limited by rate', async () => {
    const clock = manualClock()
    const { chaos, controller } = testChaos()
    const { url } = await mounted(controller, { clock, maxRequestsPerSecond: 2 })
    const browser = await signedIn(url)
    expect([(await browser.get('/')).status, (await browser.get('/')).status]).toEqual([200, 429])
    for (let n = 0; n < 5; n += 1) {
      const injection = await chaos.inject('bus', 'drop-events')
      expect((await browser.post('/stop-all', { csrf: browser.csrf })).status).toBe(303)
      expect(injection.status).toBe('ended')
    }
  })

  it('says when it failed, and what could not be undone', async () => {
    const bus = new EventEmitter()
    const stuck = defineFault({
      name: 'test/stuck',
      kind: 'standing',
      summary: 'Cannot be undone.',
      target: { expects: 'an event emitter', accepts: (value) => value instanceof EventEmitter },
      inject: (_bus: EventEmitter, _options, context) => {
        context.defer(() => Promise.reject(new Error('the socket is gone')))
      },
    })
    const chaos = createChaos({ environment: 'test', targets: { bus: target(bus, [stuck]) } })
    onTestFinished(() => chaos.close())
    const { url } = await mounted(chaos.controller)
    const browser = await signedIn(url)
    await chaos.inject('bus', 'stuck')
    await browser.post('/stop-all', { csrf: browser.csrf })
    const page = await browser.get('/')
    expect(statusOf(page)).toMatch(/<p role="alert">The stop failed: .*the socket is gone/)
    expect(page.text).toMatch(/<td>\s*\S+: .*the socket is gone/)
  })
})

describe('stopping one by a form', () => {
  it('ends that one', async () => {
    const { chaos, controller } = testChaos()
    const { url } = await mounted(controller)
    const browser = await signedIn(url)
    const one = await chaos.inject('bus', 'drop-events', {}, { id: 'one/two#3' })
    const other = await chaos.inject('bus', 'drop-events')
    const answer = await browser.post('/injections/one%2Ftwo%233/stop', { csrf: browser.csrf })
    expect(answer).toMatchObject({ status: 303, headers: { location: '../../' } })
    expect([one.status, other.status]).toEqual(['ended', 'active'])
    expect(statusOf(await browser.get('/'))).toContain('Stopped: 1 injection.')
  })

  it('says which one it does not know, or cannot read', async () => {
    const { url } = await mounted(testChaos().controller)
    const browser = await signedIn(url)
    await browser.post('/injections/no/stop', { csrf: browser.csrf })
    expect(statusOf(await browser.get('/'))).toContain('The stop failed: Unknown injection &#34;no&#34;')
    expect((await browser.post('/injections/%ZZ/stop', { csrf: browser.csrf })).status).toBe(400)
    expect((await browser.post(`/injections/${'x'.repeat(400)}/stop`, { csrf: browser.csrf })).status).toBe(414)
  })
})

describe('where chaos is not switched on', () => {
  const ALL = ['', '/', '/sign-in', '/sign-in?once=x', '/page.js', '/page.css']

  it('is an unknown path, in production and once chaos is disabled', async () => {
    const refused = await mounted(testChaos({ environment: 'production' }).controller)
    const switched = await mounted(testChaos().controller)
    const browser = await signedIn(switched.url)
    vi.stubEnv('CHAOS_DISABLED', '1')
    for (const one of [visitor(refused.url), browser]) {
      for (const path of ALL) expect(await one.get(path), path).toMatchObject({ status: 404, text: 'Not Found' })
      for (const path of ['/sign-in', '/stop-all', '/injections/a/stop', '/sign-out'])
        expect(await one.post(path, { token: TOKEN, csrf: browser.csrf }), path).toMatchObject({
          status: 404,
          text: 'Not Found',
        })
    }
  })

  /** A controller that is switched off by hand, and ends nothing by itself then. */
  function switchable() {
    const { chaos, controller } = testChaos()
    let isOff = false
    const switched: ChaosController = {
      ...controller,
      info: async () => ({ ...(await controller.info()), ...(isOff ? { refusal: 'It is <off>.' } : {}) }),
    }
    return { chaos, controller: switched, off: () => void (isOff = true) }
  }

  it('is there as long as something is in force, to stop it', async () => {
    const { chaos, controller, off } = switchable()
    const { url } = await mounted(controller)
    const browser = await signedIn(url)
    const kept = await chaos.inject('bus', 'drop-events')
    off()
    expect((await browser.get('/')).text).toContain('New faults are refused: It is &#60;off&#62;.')
    expect((await visitor(url).post('/sign-in', { token: TOKEN })).status).toBe(303)
    const stopped = await browser.post('/stop-all', { csrf: browser.csrf })
    expect(stopped.status).toBe(200)
    expect(statusOf(stopped)).toContain('Stopped: 1 injection.')
    expect(kept.status).toBe('ended')
    expect((await browser.get('/')).text).toBe('Not Found')
  })

  it('stops what was injected without a controller, for a session only', async () => {
    const { controller, off } = switchable()
    const { url } = await mounted(controller)
    const browser = await signedIn(url)
    const bare = await inject(dropEvents(), new EventEmitter())
    off()
    for (const [one, csrf] of [
      [visitor(url), browser.csrf],
      [browser, 'another'],
    ] as const)
      expect((await one.post('/stop-all', { csrf })).text).toBe('Not Found')
    expect(bare.status).toBe('active')
    expect(statusOf(await browser.post('/stop-all', { csrf: browser.csrf }))).toContain('Stopped: 1 injection.')
    expect(bare.status).toBe('ended')
  })
})

describe('in Express, by createHandler', () => {
  async function started(
    use: (app: ReturnType<typeof express>, handle: express.RequestHandler) => void,
  ): Promise<string> {
    const handler = createHandler(testChaos().controller, { token: TOKEN })
    const app = express()
    use(app, (req, res, next) => {
      if (!handler.handle(req, res)) next()
    })
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(async () => {
      await handler.close()
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('works below a path of a router too', async () => {
    const base = await started((app, handle) => app.use('/internal', handle))
    const browser = visitor(`${base}/internal/chaos`)
    const answer = await browser.post('/sign-in', { token: TOKEN })
    expect(answer.headers['set-cookie']).toEqual([expect.stringContaining('; Path=/internal/chaos;')])
    const csrf = csrfOf(await browser.get('/'))
    await browser.post('/stop-all', { csrf })
    expect(statusOf(await browser.get('/'))).toContain('Nothing was in force.')
  })

  it('says that a body parser has taken the form', async () => {
    const base = await started((app, handle) => app.use(express.urlencoded(), handle))
    const answer = await visitor(`${base}/chaos`).post('/sign-in', { token: TOKEN })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('If a body parser runs before the handler, mount the handler in front of it.')
  })
})

it('never says the token, whatever it answers', async () => {
  const { url } = await mounted(testChaos().controller)
  const browser = await signedIn(url)
  const answers = await Promise.all([
    browser.get('/'),
    browser.get(`/sign-in?once=${TOKEN}`),
    browser.get(`/?${TOKEN}`),
    browser.post('/sign-in', { token: TOKEN }),
    browser.post('/sign-in', { token: `${TOKEN}x` }),
    browser.post('/stop-all', { csrf: TOKEN }),
    browser.post(`/injections/${TOKEN}x/stop`, { csrf: 'no' }),
  ])
  for (const { text, headers } of answers) expect(JSON.stringify([text, headers])).not.toContain(TOKEN)
})
