import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, launchBrowser } from '../../src/browser.js'
import { openShop, type Shop } from './shop.js'
import { visitSignedIn, type Visitor } from './visitor.js'

const program = chromiumPath()
/** A lease that no busy machine outlasts. */
const LONG = { leaseMs: 600_000 }

describe.runIf(program !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'the page in a browser (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
  () => {
    let browser: Browser
    let shop: Shop
    let visitor: Visitor
    let page: Page

    beforeAll(async () => {
      browser = await launchBrowser(program ?? '')
      shop = await openShop()
      visitor = await visitSignedIn(browser, shop.url)
      page = visitor.page
    })
    afterAll(async () => {
      await browser.close()
      await shop.close()
    })
    beforeEach(async () => {
      await shop.chaos.stopAll()
      await page.goto(shop.url)
      await page.locator('html[data-connection=live]').waitFor()
    })
    afterEach(() => {
      expect(visitor.complaints).toEqual([])
    })
    const choose = (fault: string): Promise<void> =>
      page.locator('#chaos-targets').getByRole('button', { name: fault }).click()
    const inject = (): Promise<void> => page.getByRole('button', { name: 'Inject', exact: true }).click()
    const live = async () => (await shop.chaos.controller.injections()).filter(({ status }) => status !== 'ended')

    it('injects what was chosen, shows each hit with its time, and stops it', async () => {
      await choose('eventbus/delay-events')
      await page.getByRole('button', { name: '500 ms' }).click()
      const lease = page.getByRole('spinbutton', { name: 'leaseMs' })
      await page.getByRole('button', { name: '60 s' }).click()
      expect(await lease.inputValue()).toBe('60000')
      await lease.fill('600000')
      await inject()
      const card = page.getByRole('article', { name: 'eventbus/delay-events on orders' })
      await card.locator('ol.hits li').nth(4).waitFor()
      expect(await card.locator('ol.hits li').count()).toBe(5)
      expect(await card.locator('ol.hits li').first().innerText()).toMatch(/^\d\d:\d\d:\d\d order\.(placed|paid)$/)
      await card.getByText(/^ends \d\d:\d\d:\d\d \(in .+\)$/).waitFor()
      await expect.poll(() => card.locator('dd').first().innerText().then(Number)).toBeGreaterThan(0)
      await expect.poll(() => card.getByRole('img').getAttribute('aria-label')).toMatch(/at most [1-9]\d* in a second/)
      expect((await live()).map(({ options, leaseMs }) => [options['delayMs'], leaseMs])).toEqual([[500, 600_000]])

      await card.getByRole('button', { name: /^Stop/ }).click()
      await card.waitFor({ state: 'detached' })
      expect(await live()).toEqual([])
      await page.getByText('Ended (').click()
      expect(await page.getByRole('region', { name: 'Ended injections' }).innerText()).toContain('stopped')
    })

    it('stops everything by keyboard, wherever the focus is', async () => {
      await shop.chaos.inject('orders', 'delay-events', { delayMs: 5 }, LONG)
      await shop.chaos.inject('store', 'refuse-calls', {}, LONG)
      await page.getByRole('article').nth(1).waitFor()
      await page.getByLabel('Filter targets and faults').press('Alt+Shift+S')
      await page.getByText('Stopped 2.').waitFor()
      expect(await live()).toEqual([])
      await page.getByLabel('Filter targets and faults').press('Alt+Shift+S')
      await page.getByText('Nothing was in force.').waitFor()
    })

    it('puts STOP ALL first in the order of the focus', async () => {
      await page.locator('body').press('Tab')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('STOP ALL')
    })

    it('says at the field what the process refuses, and injects nothing', async () => {
      await choose('eventbus/delay-events')
      await page.getByRole('button', { name: '100 ms' }).click()
      const lease = page.getByRole('spinbutton', { name: 'leaseMs' })
      await lease.fill('2000000000')
      await inject()
      await page.locator('[data-field=leaseMs] .problem').getByText('leaseMs').waitFor()
      expect(await lease.getAttribute('aria-invalid')).toBe('true')
      expect(await live()).toEqual([])
      await lease.fill('1000')
      expect(await lease.getAttribute('aria-invalid')).toBeNull()
    })

    it('checks without injecting', async () => {
      await choose('adapter/refuse-calls')
      await page.getByRole('button', { name: 'Check only' }).click()
      await page.getByText('The check found nothing wrong. Nothing was injected.').waitFor()
      expect(await live()).toEqual([])
    })

    it('renews a lease by 30 s, and hides Renew where the server cannot', async () => {
      const paths = { '/injections/{id}/renewals': {} }
      let offered: object = {}
      const asked: unknown[] = []
      await page.route('**/openapi.json', (route) => route.fulfill({ json: { paths: offered } }))
      await page.route('**/renewals', (route) => {
        asked.push(decodeURIComponent(new URL(route.request().url()).pathname), route.request().postDataJSON())
        return route.fulfill({ json: {} })
      })
      onTestFinished(() => page.unrouteAll())
      await shop.chaos.inject('store', 'refuse-calls', {}, LONG)
      const renew = page.getByRole('button', { name: /^Renew/ })
      await page.reload()
      await page.getByRole('article').waitFor()
      expect(await renew.count()).toBe(0)

      offered = paths
      await page.reload()
      await renew.click()
      await page.getByText(/^Renewed/).waitFor()
      const [path, body] = asked
      expect(path).toMatch(/^\/chaos\/injections\/adapter\/refuse-calls@store#\d+\/renewals$/)
      // The lease counts from now: what is left of it, and 30 s.
      const { leaseMs } = body as { readonly leaseMs: number }
      expect(leaseMs).toBeGreaterThan(30_000)
      expect(leaseMs).toBeLessThanOrEqual(LONG.leaseMs + 30_000)
    })

    it('ends what the page holds when the page closes', async () => {
      await choose('adapter/refuse-calls')
      await page.getByLabel('Ends when this page closes').check()
      await inject()
      await page.getByRole('article').waitFor()
      await page.goto('about:blank')
      await expect.poll(live).toEqual([])
    })

    it('finds targets and faults by what is typed', async () => {
      const targets = page.locator('#chaos-targets')
      await page.getByLabel('Filter targets and faults').fill('corrupt')
      expect(await targets.getByRole('button').allInnerTexts()).toEqual([
        expect.stringMatching(/^eventbus\/corrupt-events/),
      ])
      await page.getByLabel('Filter targets and faults').fill('nothing like it')
      await targets.getByText('Nothing matches the filter.').waitFor()
    })

    it('keeps the focus and what was typed while counts change', async () => {
      await choose('eventbus/delay-events')
      await shop.chaos.inject('orders', 'drop-events', {}, LONG)
      const card = page.getByRole('article')
      await card.getByRole('button', { name: /^Stop/ }).focus()
      const seen = card.locator('dd').nth(1)
      const before = await seen.innerText()
      await expect.poll(() => seen.innerText()).not.toBe(before)
      expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toMatch(
        /^Stop eventbus\/drop-events/,
      )
    })

    it('draws injections, hits and what the app reports on one axis, and exports it as a file that opens offline', async () => {
      shop.endpoint.notify('alert', { alert: 'OrdersLate', state: 'firing' })
      await shop.chaos.inject('orders', 'delay-events', { delayMs: 5 }, LONG)
      const timeline = page.locator('#chaos-timeline')
      await timeline.locator('rect.bar.alert').waitFor()
      await timeline.locator('rect.mark.hits').first().waitFor()
      await timeline.getByRole('button', { name: 'Pause' }).click()
      await timeline.getByText('1 min shown').waitFor()
      await timeline.getByRole('button', { name: 'Zoom out' }).click()
      await timeline.getByText('1 min 30 s shown').waitFor()
      await timeline.locator('svg [tabindex="0"]').focus()
      await page.keyboard.press('Home')
      await timeline.locator('.tip').getByText('alert OrdersLate').waitFor()
      await timeline.getByText('Events as a table').click()
      await timeline.getByRole('cell', { name: 'app event' }).first().waitFor()

      const [download] = await Promise.all([
        page.waitForEvent('download'),
        timeline.getByRole('button', { name: 'Export' }).click(),
      ])
      const html = readFileSync(await download.path(), 'utf8')
      const offline = await browser.newContext({ offline: true })
      onTestFinished(() => offline.close())
      const file = await offline.newPage()
      const complaints: string[] = []
      file.on('console', (message) => complaints.push(message.text()))
      await file.setContent(html)
      expect(await file.getByRole('heading', { level: 1 }).innerText()).toMatch(/^Chaos in /)
      expect(await file.locator('rect.bar.alert').count()).toBe(1)
      expect(await file.getByRole('row').count()).toBeGreaterThan(2)
      const data = JSON.parse(await file.locator('#chaos-timeline-data').innerText()) as {
        readonly moments: readonly unknown[]
      }
      expect(data.moments.length).toBeGreaterThan(2)
      expect(complaints).toEqual([])
    })

    it('says that it is not connected, never shows old counts as new, and asks to sign in once the app is back', async () => {
      const own = await openShop()
      const other = await visitSignedIn(browser, own.url)
      onTestFinished(() => other.close())
      await own.chaos.inject('store', 'refuse-calls', {}, LONG)
      await other.page.getByRole('article').waitFor()
      await own.close()
      await other.page.getByText(/^Not connected: what you see is of \d\d:\d\d:\d\d/).waitFor()
      await other.page.getByText('? in force').waitFor()
      expect(await other.page.getByRole('article').getByRole('button', { name: /^Stop/ }).isDisabled()).toBe(true)
      const again = await openShop(own.port)
      onTestFinished(() => again.close())
      await other.page.getByLabel('Token of the endpoint').waitFor()
    })

    it('connects again by itself, and shows what has ended meanwhile', async () => {
      await shop.chaos.inject('store', 'refuse-calls', {}, LONG)
      await page.getByRole('article').waitFor()
      shop.cut()
      await page.getByText('Connected again.').waitFor()
      await shop.chaos.stopAll()
      await page.getByRole('article').waitFor({ state: 'detached' })
    })
  },
)
