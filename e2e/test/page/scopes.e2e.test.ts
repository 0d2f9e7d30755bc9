import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delayCalls, refuseCalls } from '@chaos/adapter'
import { httpScopes } from '@chaos/adapter/http'
import { createChaos, target } from '@chaos/core'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, launchBrowser } from '../../src/browser.js'
import { servePage } from './shop.js'
import { visitSignedIn } from './visitor.js'

const program = chromiumPath()

describe.runIf(program !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'requests chosen in the page (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
  () => {
    let browser: Browser

    beforeAll(async () => {
      browser = await launchBrowser(program ?? '')
    })
    afterAll(() => browser.close())

    /** An app that reads its store for each request, its page, and a person before it. */
    async function openApp() {
      const store = {
        async read() {
          await Promise.resolve()
          return 'value'
        },
      }
      const chaos = createChaos({
        environment: 'test',
        targets: { store: target(store, [refuseCalls, delayCalls]) },
      })
      onTestFinished(() => chaos.close())
      const scopes = await httpScopes({ identify: { user: 'x-user-id' } })
      onTestFinished(() => scopes.stop())
      const app = createServer((_req, res) => {
        store.read().then(
          (value) => res.end(value),
          () => res.writeHead(500).end(),
        )
      }).listen(0, '127.0.0.1')
      await once(app, 'listening')
      onTestFinished(() => {
        app.closeAllConnections()
        app.close()
      })
      const server = await servePage(chaos)
      onTestFinished(() => server.close())
      const visitor = await visitSignedIn(browser, server.url)
      onTestFinished(() => visitor.close())
      const { port } = app.address() as AddressInfo
      const ask = async (headers: Readonly<Record<string, string>> = {}): Promise<number> =>
        (await fetch(`http://127.0.0.1:${port}/menu`, { headers })).status
      const { page } = visitor
      await page.locator('#chaos-targets').getByRole('button', { name: 'adapter/refuse-calls' }).click()
      return {
        ...visitor,
        chaos,
        ask,
        async inject() {
          await page.getByRole('button', { name: 'Inject', exact: true }).click()
          await page.getByRole('article').waitFor()
        },
      }
    }

    it('are those with a header that the page mints, and no others', async () => {
      const { page, complaints, ask, inject } = await openApp()
      await page.getByLabel('Chosen by').selectOption('a scope')
      await page.getByRole('button', { name: 'Mint a scope' }).click()
      await page.getByText(/^Minted scope-\w+\. It counts until \d{4}-\d\d-\d\dT[\d:.]+Z\.$/).waitFor()
      const shown = await page.getByRole('region', { name: 'Header of the scope' }).innerText()
      const [, header = ''] = /^baggage: (chaos=[\w.-]+)$/.exec(shown) ?? []
      expect(await page.getByRole('region', { name: 'Request in the scope' }).innerText()).toBe(
        `curl -H 'baggage: ${header}' "$APP_URL"`,
      )
      const id = await page.locator('[data-field=scope] textarea').inputValue()
      expect(header).toContain(`chaos=${id}.`)

      await inject()
      expect(await ask()).toBe(200)
      expect(await ask({ baggage: header })).toBe(500)

      const kept = `${page.url()} ${await page.locator('#chaos-timeline').innerText()}`
      expect(kept).not.toContain(header)
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export' }).click(),
      ])
      const exported = readFileSync(await download.path(), 'utf8')
      expect(exported).toContain('adapter/refuse-calls')
      expect(exported).not.toContain(header)
      for (const as of ['CLI', 'code', 'YAML', 'test']) {
        await page.getByRole('radio', { name: as, exact: true }).check()
        expect(await page.locator('.copied').innerText()).toContain(id)
      }
      expect(complaints).toEqual([])
    })

    it('are those of a user', async () => {
      const { page, ask, inject } = await openApp()
      await page.getByLabel('Chosen by').selectOption('user')
      await page.locator('[data-field=user] textarea').fill('ada')
      await inject()
      expect(await ask({ 'x-user-id': 'ada' })).toBe(500)
      expect(await ask({ 'x-user-id': 'bob' })).toBe(200)
    })

    it('are never all because nobody was named', async () => {
      const { page, chaos } = await openApp()
      await page.getByLabel('Chosen by').selectOption('user')
      for (const nobody of ['', '\n']) {
        await page.locator('[data-field=user] textarea').fill(nobody)
        await page.getByRole('button', { name: 'Inject', exact: true }).click()
        expect(await page.locator('[data-field=user] textarea:invalid').count()).toBe(1)
      }
      expect(await chaos.controller.injections()).toEqual([])
    })
  },
)
