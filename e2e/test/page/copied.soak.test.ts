import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { checkExperiment, parseExperiment } from '@chaos/experiment'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, launchBrowser } from '../../src/browser.js'
import { exampleFolder } from '../../src/examples.js'
import { packageNamed, root } from '../../src/repository.js'
import { runOrThrow } from '../../src/run.js'
import { openShop, TOKEN, type Shop } from './shop.js'
import { visitSignedIn } from './visitor.js'

const program = chromiumPath()
const bin = join(root, 'e2e', 'node_modules', '.bin')

describe.runIf(program !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'what the page gives to copy (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
  () => {
    const folder = exampleFolder(packageNamed('control'))
    const env = { ...process.env, CHAOS_TOKEN: TOKEN, PATH: `${bin}:${process.env['PATH'] ?? ''}` }
    let browser: Browser
    let shop: Shop
    let page: Page

    beforeAll(async () => {
      browser = await launchBrowser(program ?? '')
      shop = await openShop()
      page = (await visitSignedIn(browser, shop.url)).page
      await page.locator('#chaos-targets').getByRole('button', { name: 'eventbus/delay-events' }).click()
      await page.getByRole('spinbutton', { name: 'delayMs' }).fill('5')
      await page.getByRole('button', { name: '50 %' }).click()
      await page.getByText('More limits').click()
      await page.getByLabel('only', { exact: true }).fill("order.*\nit's")
      await page.getByLabel('seed', { exact: true }).fill('7')
    })
    afterAll(async () => {
      await browser.close()
      await shop.close()
      folder.remove()
    })
    afterEach(() => shop.chaos.stopAll())

    async function copied(as: string): Promise<string> {
      await page.getByLabel(as, { exact: true }).check()
      return page.locator('.copied').innerText()
    }
    /** The last injection, as it was asked for. */
    async function injected(): Promise<unknown> {
      const states = await shop.chaos.controller.injections()
      const { target, fault, options, leaseMs, seed } = states[states.length - 1] ?? {}
      return { target, fault, delayMs: options?.['delayMs'], leaseMs, seed }
    }
    const wanted = { target: 'orders', fault: 'eventbus/delay-events', delayMs: 5, leaseMs: 30_000, seed: '7' }

    it('is a command line that injects the same', async () => {
      await runOrThrow('sh', ['-c', `npx() { "$@"; }\n${await copied('CLI')}`], { env })
      expect(await injected()).toEqual(wanted)
    })

    it('is code that injects the same', async () => {
      const { stdout } = await runOrThrow(process.execPath, [folder.write('copied.mjs', await copied('code'))], { env })
      expect(stdout).toBe('eventbus/delay-events@orders#1 active\n')
      expect(await injected()).toEqual(wanted)
    })

    it('is a test that passes if the fault landed, and ends the fault', async () => {
      // What is in force until the next call of the bus is enough for the test to pass.
      const code = (await copied('test')).replace(
        '// Use the app here',
        'while ((await chaos.injections()).filter(({ id }) => id === injection.id).at(-1).landedAt === undefined) await new Promise((resolve) => setTimeout(resolve, 50))\n    // Use the app here',
      )
      await runOrThrow(process.execPath, ['--test', folder.write('copied.test.mjs', code)], { env })
      expect(await injected()).toEqual(wanted)
    })

    it('is an experiment that passes all checks', async () => {
      const experiment = parseExperiment(await copied('YAML'))
      await checkExperiment(experiment, {
        controller: shop.chaos.controller,
        variables: { APP_URL: 'http://127.0.0.1:9' },
      })
      expect(experiment.method).toEqual([
        {
          inject: {
            target: 'orders',
            fault: 'eventbus/delay-events',
            options: { delayMs: 5 },
            leaseMs: 30_000,
            rate: 0.5,
            only: ['order.*', "it's"],
            seed: '7',
          },
        },
      ])
    })

    it.each([
      ['a scope', 'scope', 'mine-1', 'mine-1'],
      ['route', 'route', 'GET /menu*', { route: 'GET /menu*' }],
      ['user', 'user', 'ada\nb*', { user: ['ada', 'b*'] }],
      ['tenant', 'tenant', 'acme', { tenant: 'acme' }],
      ['share of sessions', 'sessions', '0.25', { sessions: 0.25 }],
    ] as const)('chooses the same requests, by %s', async (choice, field, entered, scope) => {
      await page.getByLabel('Chosen by').selectOption(choice)
      onTestFinished(async () => {
        await page.getByLabel('Chosen by').selectOption('everything')
      })
      await page.locator(`[data-field=${field}]`).locator('input, textarea').fill(entered)
      expect(parseExperiment(await copied('YAML')).method).toMatchObject([{ inject: { scope } }])

      const scopesOfAll = async (): Promise<readonly unknown[]> =>
        (await shop.chaos.stopAll(), await shop.chaos.controller.injections()).map((state) => state.scope)
      await runOrThrow('sh', ['-c', `npx() { "$@"; }\n${await copied('CLI')}`], { env })
      await runOrThrow(process.execPath, [folder.write('copied.mjs', await copied('code'))], { env })
      // No request is chosen here, and so the test says that nothing was affected.
      const test = folder.write('copied.test.mjs', await copied('test'))
      await expect(runOrThrow(process.execPath, ['--test', test], { env })).rejects.toThrow(
        'The fault affected nothing.',
      )
      const [ofLine, ofCode, ofTest] = (await scopesOfAll()).slice(-3)
      expect(ofLine).toBeTypeOf('string')
      expect([ofCode, ofTest]).toEqual([ofLine, ofLine])
    })
  },
)
