import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EventEmitter } from 'node:events'
import { createChaos, target } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'
import { defineExperiment, runExperiment, writeReports } from '@chaos/experiment'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumPath, launchBrowser } from '../src/browser.js'

const program = chromiumPath()

describe.runIf(program !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'the report in a browser (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
  () => {
    const hostile = '<img src=x onerror="document.title=1">'
    let browser: Browser
    let folder: string
    let page: Page
    const complaints: string[] = []
    const requests: string[] = []

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'chaos-report-'))
      browser = await launchBrowser(program ?? '')
      const { html } = await writeReports([await run('a late bus'), await run(`a title with ${hostile}`)], {
        directory: folder,
      })
      page = await browser.newPage({ viewport: { width: 1_200, height: 900 } })
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('request', (request) => requests.push(request.url()))
      await page.goto(pathToFileURL(html).href)
    })
    afterAll(async () => {
      await browser.close()
      rmSync(folder, { recursive: true, force: true })
    })

    it('loads nothing beside itself, runs nothing, and nothing complains', async () => {
      expect(complaints).toEqual([])
      expect(requests).toHaveLength(1)
      expect(await page.title()).toBe('Chaos report: 2 of 2 passed')
      expect(await page.locator('script, img').count()).toBe(0)
      expect(await page.getByText(hostile).count()).toBeGreaterThan(0)
    })

    it('shows a timeline with the window of the fault, the curve, its threshold and the marks, inside the page', async () => {
      const chart = page.locator('section').first().locator('svg')
      for (const part of ['rect.fault', 'path.curve', 'line.threshold', 'g.mark'])
        expect(await chart.locator(part).count(), part).toBeGreaterThan(0)
      expect(await chart.getAttribute('role')).toBe('img')
      const [outer, curve] = [await chart.boundingBox(), await chart.locator('path.curve').first().boundingBox()]
      if (outer === null || curve === null) throw new Error('Expected the chart to be drawn.')
      expect(curve.x).toBeGreaterThanOrEqual(outer.x)
      expect(curve.x + curve.width).toBeLessThanOrEqual(outer.x + outer.width)
    })

    it('leads from the overview to each experiment', async () => {
      await page.getByRole('link', { name: 'a late bus' }).click()
      expect(page.url()).toMatch(/#experiment-0$/)
      await expect
        .poll(() => page.evaluate<boolean>("document.querySelector('#experiment-0').getBoundingClientRect().top < 400"))
        .toBe(true)
    })

    it('can be read on a phone and in the dark: nothing but wide charts and tables scrolls sideways', async () => {
      await page.setViewportSize({ width: 390, height: 800 })
      await page.emulateMedia({ colorScheme: 'dark' })
      expect(
        await page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
      ).toBe(true)
      const [ink, paper] = await page.evaluate<string[]>(
        '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
      )
      expect(lightness(ink ?? '') - lightness(paper ?? '')).toBeGreaterThan(120)
    })
  },
)

/** A real run on a bus of this process. */
async function run(title: string) {
  const bus = new EventEmitter()
  let lateMs = 0
  bus.on('tick', (sentAt: number) => (lateMs = performance.now() - sentAt))
  const ticking = setInterval(() => bus.emit('tick', performance.now()), 10)
  const chaos = createChaos({ environment: 'test', targets: { bus: target(bus, [delayEvents]) } })
  try {
    return await runExperiment(
      defineExperiment({
        title,
        steadyState: {
          holdForMs: 300,
          probes: [{ name: 'lag', type: 'function', unit: 'ms', read: () => lateMs, tolerance: { below: 400 } }],
          mayBreach: ['lag'],
        },
        method: [{ inject: { target: 'bus', fault: 'delay-events', options: { delayMs: 900 }, leaseMs: 2_000 } }],
        recovery: { withinMs: 30_000 },
      }),
      { controller: chaos.controller, pollMs: 50 },
    )
  } finally {
    clearInterval(ticking)
    await chaos.close()
  }
}

/** Mean of the channels of `rgb(r, g, b)`. */
function lightness(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [...colour.matchAll(/\d+/g)].map(Number)
  return (red + green + blue) / 3
}
