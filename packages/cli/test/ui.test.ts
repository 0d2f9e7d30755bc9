import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, discover, type ControlClient } from '@chaos/control'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { EXIT, main, type Io } from '../src/index.js'

let folder: string
let app: ChildProcess

async function startApp(): Promise<ChildProcess> {
  const started = spawn(process.execPath, [fileURLToPath(new URL('app.mjs', import.meta.url))], {
    env: { ...process.env, CHAOS_SOCKET_DIR: join(folder, 's') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(started.stdout, 'data')
  return started
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-ui-'))
  app = await startApp()
})
afterAll(async () => {
  app.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const local = () => discover({ directory: join(folder, 's'), timeoutMs: 30_000 })

async function clientOf({ pid }: ChildProcess): Promise<ControlClient> {
  const found = (await local()).find((one) => one.pid === pid)
  const client = await connect({ socketPath: found?.socketPath ?? '' })
  onTestFinished(() => client.close())
  return client
}

/** Runs `chaos ui` within this process, until its address is printed or it ends. */
async function ui(of: ChildProcess, argv: readonly string[] = ['--no-open'], env: NodeJS.ProcessEnv = {}) {
  const abort = new AbortController()
  const lines = { out: [] as string[], err: [] as string[] }
  const io: Io = {
    out: (text) => lines.out.push(text),
    err: (text) => lines.err.push(text),
    isTerminal: false,
    env,
    signal: abort.signal,
    discover: local,
    connect: (address) => connect(address),
  }
  let isOver = false
  const ended = main(['ui', '--pid', String(of.pid), ...argv], io).finally(() => (isOver = true))
  onTestFinished(async () => {
    abort.abort('SIGINT')
    await ended
  })
  await vi.waitFor(() => expect(lines.out.length > 0 || isOver).toBe(true), 45_000)
  const url = /http:\/\/127\.0\.0\.1:\d+\/chaos\/sign-in\?once=[\w-]+/.exec(lines.out[0] ?? '')?.[0] ?? ''
  return { url, lines, ended, stop: () => abort.abort('SIGINT') }
}

/** A browser that has opened the address. */
async function opened(url: string) {
  const signIn = await fetch(url, { redirect: 'manual' })
  const cookie = signIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const base = new URL(signIn.headers.get('location') ?? '', url)
  const page = async (): Promise<string> => (await fetch(base, { headers: { cookie, accept: 'text/html' } })).text()
  const csrf = /<meta name="chaos-csrf" content="([^"]+)"/.exec(await page())?.[1] ?? ''
  const post = (path: string): Promise<Response> =>
    fetch(new URL(path, base), {
      method: 'POST',
      headers: { cookie, accept: 'text/html' },
      body: new URLSearchParams({ csrf }),
      redirect: 'manual',
    })
  const inject = (body: object): Promise<Response> =>
    fetch(new URL('injections', base), {
      method: 'POST',
      headers: { cookie, 'x-chaos-csrf': csrf, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  /** The messages of the event stream, and why it closed. */
  const events = async () => {
    const messages: { readonly type: string; readonly connection?: string; readonly event?: object }[] = []
    const headers = { cookie, origin: base.origin }
    const socket = new WebSocket(new URL('events', base).href.replace('http:', 'ws:'), 'chaos.v1', { headers })
    onTestFinished(() => socket.terminate())
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as never))
    // A connection that breaks is closed too.
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await vi.waitFor(() => expect(messages[0]).toMatchObject({ type: 'hello' }), 45_000)
    return { messages, closed, connection: messages[0]?.connection }
  }
  return { page, post, inject, events, base }
}

describe('chaos ui', () => {
  it('serves the page of a process with a control socket, to the browser that opens its address', async () => {
    const { url, lines } = await ui(app)
    expect(lines.out).toEqual([`page: ${url} (for one browser, within a minute; Ctrl-C ends it)`])
    const browser = await opened(url)
    const page = await browser.page()
    expect(page).toContain('Chaos in test-app')
    expect(page).toContain(`<meta name="chaos-pid" content="${app.pid ?? ''}" />`)
    expect(page).toContain(`content="[&#34;--pid&#34;,&#34;${app.pid ?? ''}&#34;]"`)
    expect(page).toContain('<code>test/drop-events</code> Loses events.')
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(401)
    expect((await fetch(new URL('/', url), { redirect: 'manual' })).headers.get('location')).toBe('chaos/')
    expect((await fetch(new URL('/elsewhere', url))).status).toBe(404)
  })

  it('ends every injection of the process by STOP ALL, whoever injected it', async () => {
    const client = await clientOf(app)
    const browser = await opened((await ui(app)).url)
    expect((await browser.inject({ target: 'bus', fault: 'drop-events', id: 'from-the-page' })).status).toBe(201)
    await client.inject('bus', 'drop-events', {}, { id: 'from-elsewhere' })
    expect((await browser.post('stop-all')).status).toBe(303)
    expect((await client.injections()).filter(({ status }) => status !== 'ended')).toEqual([])
    expect(await browser.page()).toContain('Stopped: 2 injections.')
  })

  it('passes on what the app reports', async () => {
    const client = await clientOf(app)
    const { messages } = await (await opened((await ui(app)).url)).events()
    await client.inject('bus', 'say-once')
    await vi.waitFor(
      () =>
        expect(messages).toContainEqual(
          expect.objectContaining({
            event: expect.objectContaining({ topic: 'alert', data: { alert: 'Silence', state: 'firing' } }) as unknown,
          }),
        ),
      45_000,
    )
  })

  it('ends with Ctrl-C, and with it what the page holds', async () => {
    const client = await clientOf(app)
    const { url, ended, stop } = await ui(app)
    const browser = await opened(url)
    const { connection } = await browser.events()
    expect((await browser.inject({ target: 'bus', fault: 'drop-events', id: 'held', connection })).status).toBe(201)
    stop()
    expect(await ended).toBe(EXIT.ok)
    expect((await client.injections()).find(({ id }) => id === 'held')).toMatchObject({ status: 'ended' })
    await expect(fetch(browser.base)).rejects.toThrow()
  })

  it('leaves nothing of what the page holds when it is killed', async () => {
    const client = await clientOf(app)
    const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
    const found = (await local()).find(({ pid }) => pid === app.pid)
    const command = spawn(process.execPath, [bin, 'ui', '--no-open', '--json', '--socket', found?.socketPath ?? ''], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void command.kill('SIGKILL'))
    const [line] = (await once(command.stdout, 'data')) as [Buffer]
    const browser = await opened((JSON.parse(line.toString()) as { readonly url: string }).url)
    const { connection } = await browser.events()
    await browser.inject({ target: 'bus', fault: 'drop-events', id: 'orphan', leaseMs: 60_000, connection })
    const ended = new Promise((resolve) => {
      client.follow(
        (entry) => entry.type === 'ended' && entry.injection.id === 'orphan' && resolve(entry.injection.outcome),
      )
    })
    command.kill('SIGKILL')
    expect(await ended).toBe('stopped')
  })

  it('tells the page that the process has ended, and ends', async () => {
    const other = await startApp()
    onTestFinished(() => void other.kill('SIGKILL'))
    const { url, lines, ended } = await ui(other)
    const { messages, closed } = await (await opened(url)).events()
    other.kill('SIGKILL')
    expect(await ended).toBe(EXIT.unreachable)
    await closed
    expect(messages.at(-1)).toMatchObject({ type: 'app-event', event: { topic: 'process', data: { state: 'ended' } } })
    expect(lines.err[0]).toMatch(/^error: The connection to the process ended/)
  })

  it.skipIf(process.platform !== 'linux')(
    'opens the address in a browser without a shell, and says when it cannot',
    async () => {
      const opener = await mkdtemp(join(folder, 'opener-'))
      const said = join(opener, 'said')
      await writeFile(
        join(opener, 'xdg-open'),
        `#!/bin/sh\nprintf '%s|' "$@" > '${said}.part' && mv '${said}.part' '${said}'\n`,
      )
      await chmod(join(opener, 'xdg-open'), 0o755)
      const { url } = await ui(app, [], { PATH: `${opener}:${process.env['PATH'] ?? ''}` })
      expect(await vi.waitFor(() => readFile(said, 'utf8'), 45_000)).toBe(`${url}|`)
      const { lines } = await ui(app, [], { PATH: join(folder, 'nothing') })
      await vi.waitFor(() => expect(lines.err.join()).toContain('The browser could not be opened'), 45_000)
    },
  )

  it('takes a port, and says when it cannot have it', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const refused = await ui(app, ['--no-open', '--port', String(port)])
    expect(await refused.ended).toBe(EXIT.usage)
    expect(refused.lines.err[0]).toContain(`The page cannot be served on port ${port} of 127.0.0.1`)
    const odd = await ui(app, ['--no-open', '--port', '70000'])
    expect(await odd.ended).toBe(EXIT.usage)
    expect(odd.lines.err[0]).toContain('Expected a port from 1 to 65535.')
  })
})
