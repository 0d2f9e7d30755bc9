import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { ChaosController, InjectionState, JournalEntry } from '@chaos/core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, launchBrowser } from '../../src/browser.js'
import { recordingController } from './recording-controller.js'
import { openShop, servePage, type Shop } from './shop.js'
import { visit, visitSignedIn } from './visitor.js'

const program = chromiumPath()
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const MARKUP = `<img src=x onerror="document.title='owned'">"'<script>document.title='owned'</script>`
/** What of the page is read by people, and contains a character that hides or reorders text. */
const HIDING = `(() => {
  const read = [document.title]
  for (const element of document.querySelectorAll('body, body *')) {
    for (const name of ['aria-label', 'label', 'placeholder', 'title']) read.push(element.getAttribute(name) ?? '')
    if (element.localName !== 'script' && element.localName !== 'style')
      for (const node of element.childNodes) if (node.nodeType === 3) read.push(node.data)
  }
  return read.filter((text) => /[\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]/.test(text))
})()`

const PHONE = { viewport: { width: 360, height: 740 } }
const looks: readonly (readonly [string, BrowserContextOptions])[] = [
  ['in the light', {}],
  ['in the dark', { colorScheme: 'dark', reducedMotion: 'reduce' }],
  ['on a phone', PHONE],
]

describe.runIf(program !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'how the page looks and reads (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
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

    it.each(looks)(
      'has nothing that axe finds fault with, and fits the width, %s',
      { timeout: 300_000 },
      async (_look, options) => {
        const { page, complaints, close } = await visitSignedIn(browser, shop.url, options)
        onTestFinished(close)
        await shop.chaos.inject('orders', 'delay-events', { delayMs: 5 }, { leaseMs: 600_000 })
        shop.endpoint.notify('alert', { alert: 'OrdersLate', state: 'firing' })
        await page.locator('ol.hits li').first().waitFor()
        await page.locator('#form-fault').selectOption('eventbus/corrupt-events')
        await page.getByRole('button', { name: 'Add a field' }).click()
        await page.getByText('More limits').click()
        await page.getByLabel('Chosen by').selectOption('a scope')
        await page.getByRole('button', { name: 'Mint a scope' }).click()
        await page.getByText(/^Minted scope-/).waitFor()
        await page.locator('rect.mark.hits').first().waitFor()
        await page.getByText('Events as a table').click()
        await shop.chaos.stopAll()
        await page.getByText('Ended (').click()
        await shop.chaos.inject('store', 'refuse-calls', {}, { leaseMs: 600_000 })
        await page.getByRole('article', { name: 'adapter/refuse-calls' }).waitFor()
        expect(await violations(page)).toEqual([])
        expect(
          await page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
        ).toBe(true)
        expect(complaints).toEqual([])
      },
    )

    it('has a sign-in form that axe finds no fault with', async () => {
      const { page, close } = await visit(browser, shop.url, { colorScheme: 'dark' })
      onTestFinished(close)
      await page.getByLabel('Token of the endpoint').waitFor()
      expect(await violations(page)).toEqual([])
    })

    it('comes in another order on a phone, for the eye and for the focus', async () => {
      const { page, close } = await visitSignedIn(browser, shop.url, PHONE)
      onTestFinished(close)
      const order = await page.evaluate<readonly string[]>(
        `[...document.querySelectorAll('body > [id^=chaos-]')].map((region) => region.id)`,
      )
      expect(order.filter((id) => id !== 'chaos-status')).toEqual([
        'chaos-header',
        'chaos-injections',
        'chaos-targets',
        'chaos-form',
        'chaos-timeline',
      ])
      const tops = await page.evaluate<readonly number[]>(
        `[...document.querySelectorAll('main, nav, aside, section')].map((region) => region.getBoundingClientRect().top)`,
      )
      expect([...tops].sort((one, other) => one - other)).toEqual(tops)
    })

    it('keeps Inject in sight beside a long form on a desk', async () => {
      const { page, close } = await visitSignedIn(browser, shop.url, { viewport: { width: 1360, height: 700 } })
      onTestFinished(close)
      await page.locator('#form-fault').selectOption('eventbus/corrupt-events')
      const [isLonger, form, inject] = await page.evaluate<readonly [boolean, number, number]>(
        `(() => {
          const form = document.querySelector('#chaos-form')
          const bottoms = [form, form.querySelector('button.primary')].map((part) => part.getBoundingClientRect().bottom)
          return [form.scrollHeight > form.clientHeight, ...bottoms]
        })()`,
      )
      expect(isLonger).toBe(true)
      expect(inject).toBeLessThan(form)
    })

    it('does not cut off the beginning of a name in the timeline', async () => {
      const { page, close } = await visitSignedIn(browser, shop.url, {})
      onTestFinished(close)
      await shop.chaos.inject('orders', 'delay-events', { delayMs: 5 }, { leaseMs: 600_000 })
      await page.locator('.chart .label', { hasText: 'eventbus/delay-events' }).first().waitFor()
      const starts = await page.evaluate<readonly number[]>(
        `[...document.querySelectorAll('.chart .label')].map((label) => label.getBBox().x)`,
      )
      expect(Math.min(...starts)).toBeGreaterThanOrEqual(0)
    })

    it.each([
      ['tags', MARKUP, MARKUP],
      [
        'characters that hide or reorder text',
        'pay\u202egnp.\u2066exe\u200f\u200b',
        'pay\\u202egnp.\\u2066exe\\u200f\\u200b',
      ],
    ])('shows whatever a process calls its things as text: %s', async (_what, hostile, shown) => {
      const { controller, report } = hostileController(hostile)
      const server = await servePage(controller)
      const { page, complaints, close } = await visitSignedIn(browser, server.url)
      onTestFinished(async () => {
        await close()
        await server.close()
      })
      const at = Date.now()
      report({ type: 'hit', at, id: hostile, operation: hostile, call: 1, scope: hostile })
      report({ type: 'warning', at, id: hostile, message: hostile })
      server.endpoint.notify('alert', { alert: hostile, state: 'firing' })
      await page.locator('ol.hits li').first().waitFor()
      await page.locator('rect.bar.alert').waitFor()
      await page.getByText('Events as a table').click()
      await page.getByText('Ended (').click()
      for (const region of ['header', 'targets', 'injections', 'form', 'timeline'])
        expect(await page.locator(`#chaos-${region}`).innerText(), region).toContain(shown)
      expect(await page.locator('img, body script').count()).toBe(0)
      expect(await page.evaluate(HIDING)).toEqual([])
      expect(await page.title()).toMatch(/^1 in force/)

      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export' }).click(),
      ])
      const context = await browser.newContext()
      onTestFinished(() => context.close())
      const file = await context.newPage()
      await file.setContent(readFileSync(await download.path(), 'utf8'))
      expect(await file.locator('img').count()).toBe(0)
      expect(await file.title()).toMatch(/^Chaos in /)
      expect(await file.locator('body').innerText()).toContain(shown)
      expect(await file.evaluate(HIDING)).toEqual([])
      expect(complaints).toEqual([])
    })
  },
)

async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const { violations: found, passes } = await page.evaluate<AxeResults>('axe.run()')
  expect(passes.length).toBeGreaterThan(5)
  return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`)
}

/** A controller that calls everything the same, and has one injection in force and one that has ended. */
function hostileController(text: string): {
  readonly controller: ChaosController
  readonly report: (entry: JournalEntry) => void
} {
  const listeners = new Set<(entry: JournalEntry) => void>()
  const live: InjectionState = {
    ...{ id: text, fault: text, kind: 'standing', target: text, seed: text, status: 'active', outcome: undefined },
    ...{
      options: { [text]: text },
      scope: text,
      armedAt: Date.now(),
      leaseMs: 60_000,
      leaseEndsAt: Date.now() + 60_000,
    },
    ...{ landedAt: undefined, endedAt: undefined, seen: 1, affected: 1, passed: 0, held: 0, queued: 0 },
    ...{ account: { [text]: 1 }, evidence: [{ [text]: text }], failures: [text] },
  }
  const ended: InjectionState = { ...live, id: `${text}2`, status: 'ended', outcome: 'failed', endedAt: Date.now() }
  const schema = { type: 'string', description: text, default: text, enum: [text] }
  return {
    controller: {
      ...recordingController().controller,
      info: () =>
        Promise.resolve({ environment: text, refusal: undefined, seed: text, maxLeaseMs: 1, now: Date.now() }),
      targets: () => Promise.resolve([{ name: text, faults: [text] }]),
      faults: () =>
        Promise.resolve([{ name: text, kind: 'standing', summary: text, options: { properties: { [text]: schema } } }]),
      injections: () => Promise.resolve([ended, live]),
      follow(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    report: (entry) => listeners.forEach((listener) => listener(entry)),
  }
}
