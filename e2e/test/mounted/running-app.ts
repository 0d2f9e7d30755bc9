import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request as requestHttp, type IncomingHttpHeaders } from 'node:http'
import { request as requestHttps } from 'node:https'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAuthority } from '@chaos/proxy/tls'
import { WebSocket } from 'ws'
import { packageNamed } from '../../src/repository.js'
import { run } from '../../src/run.js'
import type { MountedApp } from './apps.js'

const TOKEN = 'a-token-for-the-apps-of-this-folder'
const apps = fileURLToPath(new URL('apps/', import.meta.url))
const chaosBin = join(packageNamed('cli').dir, 'dist', 'bin.js')

/** A certificate for 127.0.0.1, and files with it. */
export interface Certificate {
  readonly certificate: string
  readonly files: { readonly TLS_CERT: string; readonly TLS_KEY: string; readonly NODE_EXTRA_CA_CERTS: string }
}

/** Makes one, with its files in a folder. */
export async function certificateIn(folder: string): Promise<Certificate> {
  const authority = await createAuthority()
  const { cert, key } = authority.serverIdentity(['127.0.0.1', 'localhost'])
  const fileOf = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  return {
    certificate: authority.certificate,
    files: {
      TLS_CERT: fileOf('cert.pem', cert),
      TLS_KEY: fileOf('key.pem', key),
      NODE_EXTRA_CA_CERTS: fileOf('ca.pem', authority.certificate),
    },
  }
}

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** How a request is sent. */
interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | URLSearchParams
}

/** An app in a process of its own, and what people have to speak to it. */
export interface RunningApp {
  /** Where the endpoint is mounted. */
  readonly url: string
  readonly origin: string
  readonly token: string
  readonly ca: string | undefined
  readonly ask: (path: string, asked?: Asked) => Promise<Answer>
  /** @returns What the app answers to somebody who looks for a score: its status, and the code of its error. */
  readonly finds: (name: string) => Promise<string>
  /** @returns How many listeners hear of a new score. */
  readonly adds: (name: string, score: number) => Promise<unknown>
  /** Opens a WebSocket of the app. */
  readonly live: (path: string) => WebSocket
  /** Runs the command. @returns What it printed. @throws Error when it fails. */
  readonly chaos: (...argv: readonly string[]) => Promise<string>
  /** Starts a command that keeps running. */
  readonly hold: (...argv: readonly string[]) => ChildProcess
  /** Tells it to end. @returns Its exit code. */
  readonly end: () => Promise<number | null>
  readonly kill: () => void
}

/**
 * Starts an app.
 *
 * @param program The Node.js that runs the app and the `chaos` command.
 * @param tls What an app with TLS serves.
 */
export async function startApp(app: MountedApp, program: string, tls: Certificate): Promise<RunningApp> {
  const isTls = app.isTls === true
  const env = { ...process.env, NODE_ENV: 'development', CHAOS_TOKEN: TOKEN, ...(isTls ? tls.files : {}) }
  const child = spawn(program, [join(apps, app.file)], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const { port } = JSON.parse(await firstLine(child)) as { readonly port: number }
  const origin = `${isTls ? 'https' : 'http'}://127.0.0.1:${port}`
  const url = `${origin}/chaos`
  const ca = isTls ? tls.certificate : undefined
  const ask = (path: string, asked: Asked = {}): Promise<Answer> => send(`${origin}${path}`, ca, asked)
  const cli = { env: { ...env, CHAOS_URL: url } }
  return {
    url,
    origin,
    token: TOKEN,
    ca,
    ask,
    async finds(name) {
      const { status, text } = await ask(`/scores/${name}`)
      const { error = '' } = JSON.parse(text) as { readonly error?: string }
      return `${status} ${error}`.trim()
    },
    async adds(name, score) {
      const { text } = await ask('/scores', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, score }),
      })
      return (JSON.parse(text) as { readonly heard: unknown }).heard
    },
    live: (path) => new WebSocket(`${origin.replace('http', 'ws')}${path}`, ca === undefined ? {} : { ca }),
    async chaos(...argv) {
      const { exitCode, stdout, stderr } = await run(program, [chaosBin, ...argv], cli)
      if (exitCode !== 0) throw new Error(`chaos ${argv.join(' ')} ended with ${String(exitCode)}: ${stdout}${stderr}`)
      return stdout
    },
    hold: (...argv) => spawn(program, [chaosBin, ...argv], { ...cli, stdio: ['ignore', 'pipe', 'inherit'] }),
    async end() {
      child.kill('SIGTERM')
      return (await exited)[0]
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** @throws Error with what the app wrote on its standard error, if it ends before. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    let complaint = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const [line, rest] = said.split('\n', 2)
      if (line !== undefined && rest !== undefined) resolve(line)
    })
    child.once('close', (code) => reject(new Error(`The app ended with ${String(code)}: ${complaint}`)))
  })
}

function send(url: string, ca: string | undefined, { method = 'GET', headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body?.toString()
    const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }
    const options = { method, headers: { ...length, ...headers }, agent: false, ca }
    const req = url.startsWith('https:') ? requestHttps(url, options) : requestHttp(url, options)
    req.on('error', reject).on('response', (res) => {
      let read = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (read += chunk))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: read }))
    })
    req.end(text)
  })
}
