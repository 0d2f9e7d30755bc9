import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A server of this test run's own, on a free port of 127.0.0.1, with a folder of its own. */
export interface OwnServer {
  readonly port: number
  /** Ends it and removes its folder. */
  readonly stop: () => Promise<void>
}

/** Whether a suite that needs these programs runs. With CHAOS_REQUIRE_SERVICES=all it runs, and fails where one is missing. */
export function hasPrograms(...names: readonly string[]): boolean {
  return process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || names.every((name) => programPath(name) !== undefined)
}

/** Starts a Redis server. */
export const ownRedis = (): Promise<OwnServer> => ownServer('redis-server', (port, folder) => ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', ''])

/** Starts a NATS server; with JetStream, it keeps its streams in its own folder. */
export const ownNats = (): Promise<OwnServer> => ownServer('nats-server', (port, folder) => ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder])

/** Starts an MQTT server. */
export const ownMosquitto = (): Promise<OwnServer> => ownServer('mosquitto', (port) => ['-p', String(port)])

/** Starts a program that listens on a free port. Another process may take the port first: then the program ends, and is started again. */
async function ownServer(program: string, argsOf: (port: number, folder: string) => readonly string[]): Promise<OwnServer> {
  const path = programPath(program)
  if (path === undefined) throw new Error(`Expected the program ${program} on PATH, got none. Install it, or leave CHAOS_REQUIRE_SERVICES unset to skip what needs it.`)
  for (let attempt = 1; ; attempt += 1) {
    const [port, folder] = [await freePort(), mkdtempSync(join(tmpdir(), 'chaos-eventbus-'))]
    try {
      return await started(path, port, folder, argsOf(port, folder))
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      if (attempt === 3) throw error
    }
  }
}

async function started(path: string, port: number, folder: string, args: readonly string[]): Promise<OwnServer> {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = (output + String(chunk)).slice(-4_000)
    })
  }
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const ended = once(child, 'exit').then(() => process.off('exit', killWithUs))
  await Promise.race([accepts(port), ended.then(() => Promise.reject(new Error(`Expected ${path} to accept connections on port ${port}, it ended:\n${output}`)))])
  return {
    port,
    async stop() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Where a program is, or `undefined`. */
function programPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path)
      return true
    } catch {
      return false
    }
  })
}

/** Resolves when something listens on the port. */
async function accepts(port: number): Promise<void> {
  const isOpen = await new Promise<boolean>((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
  if (isOpen) return
  await new Promise((resolve) => setTimeout(resolve, 25))
  return accepts(port)
}

/** A port of 127.0.0.1 that nothing listens on. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
