import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import {
  connect as connectHttp2,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '@chaos/control'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { NODE_VERSIONS, nodeProgram } from '../../src/node-versions.js'
import { expectTable } from '../../src/page-table.js'
import { readJson, root, type Manifest } from '../../src/repository.js'
import { APPS, supports, type MountedApp } from './apps.js'
import { certificateIn, startApp, type Answer, type Certificate, type RunningApp } from './running-app.js'

const soak = process.env['CHAOS_SOAK']
/** The version that runs this; each supported one in the soak. */
const VERSIONS = soak === undefined ? [process.versions.node] : NODE_VERSIONS
/** What is tried in the ordinary tests: the ways to mount that differ most. */
const ORDINARY = ['node-http.mjs', 'express.mjs', 'hono.mjs']
/** In the quick soak, one app on each version, and all on the newest. */
const isTried = (app: MountedApp, version: string): boolean =>
  supports(app, version) &&
  (soak === undefined
    ? ORDINARY.includes(app.file)
    : soak !== 'quick' || app === APPS[0] || version === NODE_VERSIONS.at(-1))
const programs = new Map(
  await Promise.all(VERSIONS.map(async (version) => [version, await nodeProgram(version)] as const)),
)
const isRequired = process.env['CHAOS_REQUIRE_SERVICES'] === 'all'
const runs = (version: string): boolean => programs.get(version) !== undefined || isRequired

let folder: string
let tls: Certificate
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-mounted-'))
  tls = await certificateIn(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(VERSIONS)('on Node.js %s (skipped where npm cannot fetch it for this platform)', (version) => {
  const tried = APPS.filter((app) => isTried(app, version))
  it.runIf(runs(version)).each(tried)('an app of $name is broken and healed', { timeout: 300_000 }, async (app) => {
    const program = programs.get(version)
    if (program === undefined) throw new Error(`Expected Node.js ${version} to be there.`)
    const running = await startApp(app, program, tls)
    onTestFinished(running.kill)
    await breakAndHeal(running)
    await leaveAlone(running, app.isLive)
    if (app.file === 'node-http2.mjs') await speakHttp2(running)
    await endWithOpenStream(running)
  })
})

it('shows in docs/compatibility.md what is tested', () => {
  const installed = (name: string): string => {
    const { version } = readJson(join(root, 'e2e', 'node_modules', ...name.split('/'), 'package.json')) as Manifest
    return `${name} ${version}`
  }
  expectTable('docs/compatibility.md', 'servers', [
    ['server', 'packages', ...NODE_VERSIONS.map((version) => `Node.js ${version}`)],
    ...APPS.map((app) => [
      app.name,
      app.packages.map(installed).join(', '),
      ...NODE_VERSIONS.map((version) => (supports(app, version) ? 'yes' : 'not supported')),
    ]),
  ])
})

/** An answer over HTTP/2. */
interface Heard {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader
  readonly text: string
}

/** With the command, and with the page as a browser without JavaScript shows it. */
async function breakAndHeal(app: RunningApp): Promise<void> {
  const { finds, adds, chaos, hold } = app
  expect(await adds('ada', 3)).toBe(1)
  expect(await finds('ada')).toBe('200')
  expect(await chaos('targets')).toMatch(/^store +adapter\/refuse-calls$/m)

  await chaos('inject', 'store', 'refuse-calls', '--error', 'net/econnrefused', '--for', '60s', '--id', 'away')
  expect(await finds('ada')).toBe('503 ECONNREFUSED')
  await chaos('stop', 'away')
  expect(await finds('ada')).toBe('200')

  // Held by the event stream, which the server upgrades. The command ends with what it holds.
  const holding = hold('inject', 'bus', 'drop-events', '--hold', 'connection', '--for', '600s')
  onTestFinished(() => void holding.kill('SIGKILL'))
  const ended = once(holding, 'exit')
  await once(holding.stdout ?? holding, 'data')
  expect(await adds('ada', 4)).toBe(0)
  await stopAllFromPage(app)
  expect(await adds('ada', 5)).toBe(1)
  expect(await ended).toEqual([0, null])
}

/** Signs in, and presses STOP ALL. */
async function stopAllFromPage({ ask, origin, token }: RunningApp): Promise<void> {
  const asPerson = { accept: 'text/html', origin }
  const form = { ...asPerson, 'content-type': 'application/x-www-form-urlencoded' }
  expect(await ask('/chaos/', { headers: asPerson })).toMatchObject({ status: 401 })
  const signedIn = await ask('/chaos/sign-in', { method: 'POST', headers: form, body: new URLSearchParams({ token }) })
  expect(signedIn.status, signedIn.text).toBe(303)
  const cookie = signedIn.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''

  const page = await ask('/chaos/', { headers: { ...asPerson, cookie } })
  expect(page.text).toContain('eventbus/drop-events')
  expect(page.headers['content-security-policy'], 'the one of the page, not of the app').toContain("default-src 'none'")
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const stop = (body: URLSearchParams): Promise<Answer> =>
    ask('/chaos/stop-all', { method: 'POST', headers: { ...form, cookie }, body })
  expect((await stop(new URLSearchParams({ csrf: 'guessed' }))).status).toBe(403)
  expect((await stop(new URLSearchParams({ csrf }))).status).toBe(303)
  expect((await ask('/chaos/', { headers: { ...asPerson, cookie } })).text).toContain('Nothing is in force')
}

/** What is the app's stays the app's. */
async function leaveAlone({ ask, live, adds, token }: RunningApp, isLive: boolean): Promise<void> {
  const authorization = `Bearer ${token}`
  expect((await ask('/chaos/targets')).status).toBe(401)
  const forwarded = await ask('/chaos/targets', { headers: { authorization, 'x-forwarded-for': '127.0.0.1' } })
  expect(forwarded.status, 'whatever proxy the app trusts').toBe(403)
  expect((await ask('/chaos-of-the-app')).status).toBe(404)

  // Java's HTTP client offers HTTP/2 with its first request.
  const offers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA' }
  if (!isLive) {
    const headers = { ...offers, 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'grace', score: 1 })
    expect(await ask('/scores', { method: 'POST', headers, body })).toMatchObject({ status: 201, text: '{"heard":1}' })
    return
  }
  const socket = live('/live')
  await once(socket, 'open')
  const news = once(socket, 'message')
  await adds('ada', 8)
  expect(JSON.parse(String((await news)[0]))).toEqual({ name: 'ada', score: 8 })
  socket.terminate()
  const stranger = live('/nowhere')
  const [error] = (await once(stranger, 'error').catch((thrown: unknown) => [thrown])) as [Error]
  expect(error.message).toMatch(/Unexpected server response: 40[04]/)
}

/** A browser speaks HTTP/2 to such a server, which has no `Host` header. */
async function speakHttp2({ origin, token, ca }: RunningApp): Promise<void> {
  const session = connectHttp2(origin, { ca })
  const ask = async (path: string, headers: OutgoingHttpHeaders, body?: URLSearchParams): Promise<Heard> => {
    const stream = session.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST', ...headers })
    const response = once(stream, 'response') as Promise<[Heard['headers']]>
    let text = ''
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    stream.end(body?.toString())
    await once(stream, 'end')
    const [answered] = await response
    return { status: answered[':status'], headers: answered, text }
  }
  const authorization = `Bearer ${token}`
  try {
    expect(await ask('/chaos/info', { authorization })).toMatchObject({ status: 200 })
    expect(await ask('/chaos/no-such-route', { authorization })).toMatchObject({ status: 404 })
    expect(await ask('/scores/ada', {})).toMatchObject({ status: 200 })

    const form = { accept: 'text/html', origin, 'content-type': 'application/x-www-form-urlencoded' }
    const signedIn = await ask('/chaos/sign-in', form, new URLSearchParams({ token }))
    expect(signedIn.status, signedIn.text).toBe(303)
    const [cookie = ''] = signedIn.headers['set-cookie'] ?? []
    expect(cookie).toMatch(/^chaos-session-\d+=.*; Secure/)
    const page = await ask('/chaos/', { ...form, cookie: cookie.split(';', 1) })
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    const stopped = await ask(
      '/chaos/stop-all',
      { ...form, cookie: cookie.split(';', 1) },
      new URLSearchParams({ csrf }),
    )
    expect(stopped.status, stopped.text).toBe(303)
  } finally {
    session.destroy()
  }
}

/** An open event stream does not keep an app from ending. */
async function endWithOpenStream(app: RunningApp): Promise<void> {
  if (app.ca !== undefined) {
    expect(await app.end()).toBe(0)
    return
  }
  const client = await connect({ url: app.url, token: app.token })
  expect(await app.end()).toBe(0)
  await client.closed
}
