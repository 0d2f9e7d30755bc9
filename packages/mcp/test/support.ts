import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { discover } from '@chaos/control'
import { afterAll, onTestFinished } from 'vitest'
import { MAX_PERMIT_MS, type PermittedProcess } from '../src/permit/permit.js'
import { writePermit } from '../src/permit/permit-store.js'

export const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const appFile = fileURLToPath(new URL('app.mjs', import.meta.url))

/** The environment of programs that tests start: chaos is neither switched off nor in production. */
export function environment(sockets: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { CHAOS_DISABLED: _disabled, NODE_ENV: _environment, ...inherited } = process.env
  const given = Object.entries(inherited).filter((one): one is [string, string] => one[1] !== undefined)
  return { ...Object.fromEntries(given), CHAOS_SOCKET_DIR: sockets, ...more }
}

/** Has work done at the end: of a test, or of a file for what its tests share. */
export type AtEnd = (undo: () => unknown) => void
const afterTest: AtEnd = (undo) => {
  onTestFinished(async () => {
    await undo()
  })
}

/** For what the tests of a file share: undone after the last, in reverse order. Call it outside of tests. */
export function afterFile(): AtEnd {
  const undos: (() => unknown)[] = []
  afterAll(async () => {
    for (const undo of undos.reverse()) await undo()
  })
  return (undo) => void undos.push(undo)
}

/** A folder that only this user can access. */
export function privateFolder(atEnd = afterTest): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'chaos-mcp-')))
  atEnd(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An app with a bus, in a process of its own. */
export async function startApp(
  sockets: string,
  name = 'test-app',
  atEnd = afterTest,
): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [appFile, name], {
    env: environment(sockets),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  atEnd(() => child.kill('SIGKILL'))
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, port: Number(/ready (\d+)/.exec(said.toString())?.[1]) }
}

/** The longest wait for an answer, in ms: a limit for what hangs. */
const TIMEOUT_MS = 150_000

/** What a tool answered. */
export interface Answered {
  readonly isError: boolean
  readonly text: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A real client with a real server, in a process of its own. */
export async function startClient(
  sockets: string,
  more: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
  atEnd = afterTest,
) {
  const client = new Client({ name: 'test-client', version: '7' })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [bin, 'serve', ...args],
    env: environment(sockets, more),
    cwd: sockets,
  })
  atEnd(() => client.close())
  await client.connect(transport)
  // The client validates structured content only against schemas that it has seen.
  await client.listTools()
  return {
    client,
    transport,
    async call(name: string, given: Readonly<Record<string, unknown>> = {}): Promise<Answered> {
      const {
        isError = false,
        content,
        structuredContent,
      } = await client.callTool({ name, arguments: given }, undefined, { timeout: TIMEOUT_MS })
      const [first] = content as readonly { readonly text?: string }[]
      return {
        isError: isError === true,
        text: first?.text ?? '',
        data: (structuredContent ?? {}) as Record<string, unknown>,
      }
    },
  }
}

/** Permits faults as `chaos-mcp open` does once a person has confirmed it. */
export async function permit(sockets: string, forMs = MAX_PERMIT_MS): Promise<void> {
  const running = await discover({ directory: sockets, timeoutMs: 30_000 })
  const processes: readonly PermittedProcess[] = running.map(({ pid, name, startedAt }) => ({ pid, name, startedAt }))
  const openedAt = Date.now()
  writePermit({ version: 1, openedAt, expiresAt: openedAt + forMs, processes }, sockets)
}
