import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, launchBrowser } from '../../src/browser.js'
import { signIn, visit } from '../page/visitor.js'
import { APPS, supports } from './apps.js'
import { certificateIn, startApp, type Certificate } from './running-app.js'

const chromium = chromiumPath()
const version = process.versions.node
const soak = process.env['CHAOS_SOAK']
/** All in the whole soak, those with TLS in the quick one: the page's own tests show that it works, and this that it does in each app. */
const tried = APPS.filter(
  (app) => supports(app, version) && (soak === 'whole' || app === APPS[0] || (soak === 'quick' && app.isTls === true)),
)

describe.runIf(chromium !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'from the page of a browser (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
  () => {
    let browser: Browser
    let folder: string
    let tls: Certificate
    beforeAll(async () => {
      browser = await launchBrowser(chromium ?? '')
      folder = mkdtempSync(join(tmpdir(), 'chaos-mounted-'))
      tls = await certificateIn(folder)
    })
    afterAll(async () => {
      await browser.close()
      rmSync(folder, { recursive: true, force: true })
    })

    it.each(tried)('an app of $name is broken and healed', { timeout: 300_000 }, async (app) => {
      const running = await startApp(app, process.execPath, tls)
      onTestFinished(running.kill)
      await running.adds('ada', 3)
      const { page, complaints, close } = await visit(browser, `${running.origin}/chaos/`, { ignoreHTTPSErrors: true })
      onTestFinished(close)
      await signIn(page, running.token)
      await page.locator('html[data-connection=live]').waitFor()

      await page.locator('#chaos-targets').getByRole('button', { name: 'adapter/refuse-calls' }).click()
      await page.getByRole('button', { name: 'Inject', exact: true }).click()
      const injection = page.getByRole('article', { name: 'adapter/refuse-calls' })
      await injection.waitFor()
      expect(await running.finds('ada')).toMatch(/^50[03] /)
      await injection.locator('ol.hits li').first().waitFor()

      await page.getByRole('button', { name: 'STOP ALL' }).click()
      await injection.waitFor({ state: 'detached' })
      expect(await running.finds('ada')).toBe('200')
      expect(complaints).toEqual([])
    })
  },
)
