import { fork, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { main } from '../../src/bin/main.js'

/** A running shop. */
export interface Shop {
  readonly url: string
  /** The path of its control socket. */
  readonly path: string
  /** The folder of its control sockets: one that is started again has another socket. */
  readonly folder: string
  readonly kill: (signal: NodeJS.Signals) => void
}

/** The command, built. */
const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url))
const SHOP = fileURLToPath(new URL('shop.mjs', import.meta.url))

/**
 * Starts the shop as a process, until the test ends.
 *
 * @param isSupervised Whether it is started again when it ends.
 */
export async function startShop({ isSupervised = false } = {}): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-explore-'))
  const start = (port: string): ChildProcess =>
    fork(SHOP, [port], { env: { ...process.env, CHAOS_DISABLED: '', CHAOS_SOCKET_DIR: folder } })
  let child = start('0')
  let isOver = false
  onTestFinished(() => {
    isOver = true
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const shop = await new Promise<Pick<Shop, 'url' | 'path'>>((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as Shop))
    child.once('exit', (code) => reject(new Error(`the shop ended with ${code ?? 'a signal'} before it was there`)))
  })
  const startAgain = (): void => {
    if (!isOver) child = start(new URL(shop.url).port).once('exit', startAgain)
  }
  if (isSupervised) child.once('exit', startAgain)
  return { ...shop, folder, kill: (signal) => void child.kill(signal) }
}

/** The command as a process of its own. */
export interface RunningCommand {
  readonly child: ChildProcess
  /** Settles with how it ended, and with what it printed. */
  readonly ended: Promise<{
    readonly code: number | null
    readonly signal: NodeJS.Signals | null
    readonly out: string
    readonly err: string
  }>
}

/** Starts the command for a shop as a process of its own, until the test ends. */
export function startCommand({ folder }: Shop, args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, [BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CHAOS_SOCKET_DIR: folder },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return {
    child,
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, out, err }))),
  }
}

/** Runs the command in this process. */
export async function explore(
  args: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', '']
  const code = await main(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    isTerminal: false,
    env: {},
    signal,
  })
  return { code, out, err }
}

/** The folder for the reports of a test. */
export function reportFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-explore-report-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
