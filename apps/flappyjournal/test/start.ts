import { SignJWT } from 'jose'
import { onTestFinished } from 'vitest'
import { startApp, type App, type Wiring } from '../src/app.js'
import { configFrom, type Config } from '../src/config.js'

export const SECRET = 'a secret of at least thirty-two characters'

/** Starts the app on a free port with storage in memory; it is closed when the test has finished. */
export async function start(config: Partial<Config> = {}, wire?: Wiring): Promise<App> {
  const app = await startApp(
    { ...configFrom({ JWT_SECRET: SECRET, PORT: '0', FLAPPY_WINDOWS: 'demo' }), ...config },
    wire,
  )
  onTestFinished(() => app.close())
  return app
}

export function token(user = 'ada', secret = SECRET): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(secret))
}

/** Asks the journal as a user. */
export async function ask(
  app: App,
  method: string,
  path: string,
  body?: unknown,
  user = 'ada',
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: unknown; headers: Headers }> {
  const response = await fetch(app.url + path, {
    method,
    headers: { authorization: `Bearer ${await token(user)}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
    headers: response.headers,
  }
}
