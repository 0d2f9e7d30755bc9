// Takes the picture of the README, docs/images/report.png: one experiment in the report of the last `npm run demo`.
// In this folder: `npm run picture`, with CHROMIUM_PATH where Chromium is not /usr/bin/chromium.
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const report = new URL('../../apps/flappyjournal/reports/report.html', import.meta.url)
const picture = fileURLToPath(new URL('../../docs/images/report.png', import.meta.url))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
try {
  const page = await browser.newPage({ viewport: { width: 1080, height: 900 }, colorScheme: 'light' })
  await page.goto(report.href)
  await page
    .locator('section', { hasText: process.argv[2] ?? 'delay the bus' })
    .first()
    .screenshot({ path: picture })
} finally {
  await browser.close()
}
