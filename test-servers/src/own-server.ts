import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A server of this test run's own, on a free port of 127.0.0.1, with a folder of its own. */
export interface OwnServer {
  readonly port: number
  readonly folder: string
  readonly process: ChildProcess
  /** Ends it, also when it is stopped in its tracks, and removes its folder. */
  readonly stop: () => Promise<void>
}

/** For suites that make a database first: a limit for what hangs, not a bar on speed. In ms. */
export const SERVER_TIMEOUT_MS = 180_000

/** How a server is started. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly options?: SpawnOptions
  /** What it writes once it listens. That something answers on its port would not do: another process may have taken the port first. */
  readonly ready: string
  /** What ends it. Default `SIGKILL`. */
  readonly endedBy?: NodeJS.Signals
}

/** How tests end a server; any other end is told of, with the last it wrote. */
const ON_PURPOSE: ReadonlySet<NodeJS.Signals | null> = new Set(['SIGKILL', 'SIGTERM', 'SIGQUIT'])

/** Starts a server. Another process may take the free port first: then the server ends, and is started again. */
export async function ownServer(command: (port: number, folder: string) => Command): Promise<OwnServer> {
  for (let attempt = 1; ; attempt += 1) {
    const [port, folder] = [await freePort(), mkdtempSync(join(tmpdir(), 'chaos-server-'))]
    try {
      return await started(port, folder, command(port, folder))
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      if (attempt === 3) throw error
    }
  }
}

/** Starts a server on this port, in this folder. It ends with this process at the latest. */
export async function started(
  port: number,
  folder: string,
  { program, args, options = {}, ready, endedBy = 'SIGKILL' }: Command,
): Promise<OwnServer> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const said = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = (output + String(chunk)).slice(-4_000)
        if (output.includes(ready)) resolve()
      })
    }
  })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const ended = once(child, 'exit').then(() => process.off('exit', killWithUs))
  const fell = once(child, 'close').then(
    ([code, signal]) => `it ended by ${String(signal ?? `exit code ${code as number}`)}:\n${output}`,
  )
  await Promise.race([
    said,
    fell.then((how) => Promise.reject(new Error(`Expected ${program} to listen on port ${port}, ${how}`))),
  ])
  void fell.then((how) => {
    if (child.exitCode !== 0 && !ON_PURPOSE.has(child.signalCode))
      console.error(`Expected ${program} to run until it is stopped, ${how}`)
  })
  return {
    port,
    folder,
    process: child,
    async stop() {
      child.kill('SIGCONT')
      child.kill(endedBy)
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * The ports that are handed out. Operating systems give higher ones to connections and to servers that listen on port 0 (Linux from 32,768 on,
 * others from 49,152 on): one of those could be taken before its server listens. A node of a Redis Cluster listens 10,000 above its own as well.
 */
const [FIRST_PORT, LAST_PORT] = [12_768, 22_767]

/** A port of 127.0.0.1 that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer()
  try {
    await once(server.listen(randomInt(FIRST_PORT, LAST_PORT + 1), '127.0.0.1'), 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return freePort()
    throw error
  }
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
