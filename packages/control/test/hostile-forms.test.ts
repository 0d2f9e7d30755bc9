import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ask, mounted, testChaos, TOKEN } from './support.js'
import { signedIn, visitor } from './visitor.js'

const text = fc.oneof(
  fc.constantFrom('', '<script>', '%ZZ', '%00', '..', 'csrf', '__proto__', 'x'.repeat(9_000), 'a'.repeat(43)),
  fc.string({ unit: 'binary', maxLength: 40 }),
)
const segment = text.map((value) => encodeURIComponent(value.replace(/\p{Cs}/gu, '')).slice(0, 2_000))
const path = fc.oneof(
  fc.constantFrom('', '/', '/sign-in', '/sign-out', '/stop-all', '/page.js', '/page.css', '/injections/kept/stop'),
  segment.map((id) => `/injections/${id}/stop`),
  segment.map((key) => `/sign-in?once=${key}`),
)
const type = fc.constantFrom('application/x-www-form-urlencoded', 'application/json', 'multipart/form-data', 'x')
const form = fc.record({
  method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'HEAD', 'DELETE', 'PUT'),
  path,
  type,
  accept: fc.constantFrom('text/html', '*/*'),
  body: fc.oneof(
    text,
    fc.dictionary(fc.constantFrom('csrf', 'token', 'x'), text).map((fields) => new URLSearchParams(fields).toString()),
  ),
  cookie: fc.oneof(
    fc.constant(undefined),
    fc.string({ maxLength: 100 }).map((value) => value.replace(/[^\x20-\x7e]/g, '')),
  ),
})

it('answers any form well, and changes nothing for one that the page did not make', async () => {
  const { chaos, controller } = testChaos()
  const { url } = await mounted(controller, { maxRequestsPerSecond: 1_000_000 })
  const kept = await chaos.inject('bus', 'drop-events', {}, { id: 'kept' })
  const browser = await signedIn(url)
  await fc.assert(
    fc.asyncProperty(form, fc.boolean(), async (sent, hasSession) => {
      const cookie = [sent.cookie, hasSession ? browser.cookie : undefined].filter((one) => one !== undefined).join(';')
      const hasBody = sent.method === 'POST' || sent.method === 'PUT'
      const answer = await ask(`${url}${sent.path}`, {
        method: sent.method,
        headers: {
          authorization: '',
          accept: sent.accept,
          ...(cookie === '' ? {} : { cookie }),
          'content-type': sent.type,
        },
        ...(hasBody ? { body: sent.body } : {}),
      })
      expect([200, 303, 400, 401, 403, 404, 405, 413, 414, 415]).toContain(answer.status)
      expect(answer.headers['set-cookie']).toBeUndefined()
      expect(answer.text).not.toContain(TOKEN)
      expect(answer.headers['x-content-type-options'] ?? 'nosniff').toBe('nosniff')
      if (answer.text.startsWith('<!doctype html>'))
        expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
    }),
    { numRuns: 150 },
  )
  expect(kept.status).toBe('active')
  expect((await visitor(url).get('/')).status).toBe(401)
  expect((await browser.get('/')).status).toBe(200)
})
