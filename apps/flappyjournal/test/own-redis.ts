import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createServer, type AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Whether a suite that starts a Redis of its own runs. With CHAOS_REQUIRE_SERVICES=all it runs, and fails where there is none. */
export const hasRedisServer = process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || spawnSync('redis-server', ['--version']).status === 0

/** A Redis of the test's own, in memory, on a free port of loopback; it ends with the test. */
export interface OwnRedis {
  readonly url: string
  /** It keeps its connections and answers nothing, as a stopped container or a swapping host does. */
  freeze(): void
  thaw(): void
}

export async function startOwnRedis(): Promise<OwnRedis> {
  const port = await freePort()
  const child = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  onTestFinished(async () => {
    end()
    await exited
    process.off('exit', end)
  })
  for await (const line of createInterface(child.stdout)) if (line.includes('Ready to accept connections')) break
  // Nobody reads what it says from here on.
  child.stdout.resume()
  return { url: `redis://127.0.0.1:${port}`, freeze: () => void child.kill('SIGSTOP'), thaw: () => void child.kill('SIGCONT') }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
