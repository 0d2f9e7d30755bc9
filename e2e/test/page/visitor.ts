import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { TOKEN } from './shop.js'

/** A browser with nothing stored, at the page. */
export interface Visitor {
  readonly page: Page
  /** What the browser complained of, requests to elsewhere, and breaches of the policy. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** The longest wait for anything in the browser, in ms: the machine may be busy. */
const PATIENCE_MS = 100_000

/** Opens a browser of its own, at the sign-in form. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1_400, height: 1_000 }, ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // The sign-in form comes with status 401, a refused injection with another, and an app that is gone answers nothing.
    if (
      /status of (401|409|422|400)|ERR_(CONNECTION_\w+|EMPTY_RESPONSE)|WebSocket connection|\[DOM\]/.test(
        message.text(),
      )
    )
      return
    complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).host !== new URL(url).host)
      complaints.push(`a request to ${request.url()}`)
  })
  await page.goto(url)
  return { page, complaints, close: () => context.close() }
}

/** Signs in, as a person does. */
export async function signIn(page: Page, token = TOKEN): Promise<void> {
  await page.getByLabel('Token of the endpoint').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'STOP ALL' }).waitFor()
}

/** Opens the page, signed in and connected. */
export async function visitSignedIn(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const visitor = await visit(browser, url, options)
  await signIn(visitor.page)
  await visitor.page.locator('html[data-connection=live]').waitFor()
  return visitor
}
