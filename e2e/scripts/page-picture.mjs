// Takes the pictures of docs/page.md: docs/images/page.png, page-dark.png and page-phone.png, of an app with two faults in force.
// In this folder: `npm run picture:page`, with CHROMIUM_PATH where Chromium is not /usr/bin/chromium. Another folder for the
// pictures may be given.
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { delayCalls, refuseCalls } from '@chaos/adapter'
import { mountEndpoint } from '@chaos/control'
import { createChaos, target } from '@chaos/core'
import { corruptEvents, delayEvents, dropEvents } from '@chaos/eventbus'
import { chromium } from 'playwright-core'

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/images', import.meta.url))
const token = 'the-token-of-the-pictures'
/** How many events must be hit before the pictures are taken: enough to show a curve. */
const HITS = 60

const bus = new EventEmitter().on('order.placed', () => undefined).on('order.paid', () => undefined)
const store = {
  async get(key) {
    await Promise.resolve()
    return key
  },
}
const chaos = createChaos({
  environment: 'development',
  targets: {
    orders: target(bus, [delayEvents, dropEvents, corruptEvents]),
    store: target(store, [delayCalls, refuseCalls]),
  },
})
const traffic = setInterval(() => {
  bus.emit('order.placed')
  if (Math.random() < 0.6) bus.emit('order.paid')
  store.get('stock').catch(() => undefined)
}, 60)
const server = createServer((_req, res) => res.end())
const endpoint = mountEndpoint(server, chaos, { token, page: { name: 'shop' } })
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})

/** Opens the page in a browser of its own, signed in. */
async function open(options) {
  const page = await (await browser.newContext(options)).newPage()
  page.setDefaultTimeout(100_000)
  await page.goto(`http://127.0.0.1:${server.address().port}/chaos/`)
  await page.getByLabel('Token of the endpoint').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('html[data-connection=live]').waitFor()
  return page
}

try {
  const desk = { viewport: { width: 1360, height: 1120 } }
  const pages = {
    page: await open(desk),
    'page-dark': await open({ ...desk, colorScheme: 'dark' }),
    'page-phone': await open({ viewport: { width: 390, height: 844 } }),
  }
  await chaos.inject('store', 'delay-calls', { delayMs: 50 }, { leaseMs: 600_000, rate: 0.5 })
  const delay = await chaos.inject('orders', 'delay-events', { delayMs: 500 }, { leaseMs: 600_000 })
  endpoint.notify('alert', { alert: 'OrdersLate', state: 'firing' })
  while (delay.affected < HITS) await new Promise((resolve) => bus.once('order.paid', resolve))
  for (const [name, page] of Object.entries(pages)) {
    await page.getByRole('article').nth(1).locator('ol.hits li').nth(4).waitFor()
    await page.locator('#chaos-targets').getByRole('button', { name: 'eventbus/drop-events' }).click()
    await page.getByRole('button', { name: '10 %' }).click()
    await page.evaluate('window.scrollTo(0, 0)')
    await page.screenshot({ path: join(folder, `${name}.png`) })
  }
} finally {
  clearInterval(traffic)
  await browser.close()
  await endpoint.close()
  await chaos.close()
  server.closeAllConnections()
  server.close()
}
