import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, launchBrowser } from '../../src/browser.js'
import { openShop, type Shop } from './shop.js'
import { signIn, visit } from './visitor.js'

const program = chromiumPath()

describe.runIf(program !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'the page without JavaScript (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
  () => {
    let browser: Browser
    let shop: Shop

    beforeAll(async () => {
      browser = await launchBrowser(program ?? '')
      shop = await openShop()
    })
    afterAll(async () => {
      await browser.close()
      await shop.close()
    })
    const live = async () => (await shop.chaos.controller.injections()).filter(({ status }) => status !== 'ended')

    it('signs in, lists what is in force, stops one, stops all, signs out', async () => {
      const { page, complaints, close } = await visit(browser, shop.url, { javaScriptEnabled: false })
      onTestFinished(close)
      await signIn(page)
      await shop.chaos.inject('store', 'delay-calls', { delayMs: 1 }, { leaseMs: 600_000 })
      await shop.chaos.inject('store', 'refuse-calls', {}, { leaseMs: 600_000 })
      await shop.chaos.inject('orders', 'drop-events', {}, { leaseMs: 600_000 })
      await page.goto(shop.url)
      const row = page.getByRole('row').filter({ hasText: 'adapter/refuse-calls' })
      await row.getByRole('button', { name: /^Stop/ }).click()
      await page.getByText('Stopped: 1 injection.').waitFor()
      expect((await live()).map(({ fault }) => fault)).toEqual(['adapter/delay-calls', 'eventbus/drop-events'])
      await page.getByRole('button', { name: 'STOP ALL' }).click()
      await page.getByText('Stopped: 2 injections.').waitFor()
      expect(await live()).toEqual([])
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByLabel('Token of the endpoint').waitFor()
      expect(complaints).toEqual([])
    })
  },
)
