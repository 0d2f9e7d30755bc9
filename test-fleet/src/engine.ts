import { once } from 'node:events'
import { ownServer, required, started, type Command, type OwnServer } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import type { Prefix } from './program.js'

/** How a Redis is started. */
export interface EngineOptions {
  /** Addresses that it listens on besides 127.0.0.1. */
  readonly addresses?: readonly string[]
  /** Options of its command line. */
  readonly options?: readonly string[]
  /** A command in front of its own. */
  readonly prefix?: Prefix
}

/** A Redis of a fleet's own, and the ways to harm it. */
export interface Engine {
  readonly port: number
  /** Sees and does what is not a fleet's business. */
  readonly witness: Redis
  freeze(): void
  thaw(): void
  /** Kills it at once. Resolves when it has ended. */
  kill(): Promise<void>
  /** Starts it again, with the data that it has written to its disk. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** What makes a Redis keep each write. */
export const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always'] as const

/** Starts a Redis on a free port. `CHAOS_REDIS_SERVER` names another program than `redis-server`. */
export async function startEngine({ addresses = [], options = [], prefix = [] }: EngineOptions = {}): Promise<Engine> {
  const command = (port: number, folder: string): Command => {
    const where = ['--bind', '127.0.0.1', ...addresses, '--port', String(port)]
    // Its addresses are of this machine alone.
    const own = [...where, '--protected-mode', 'no', '--dir', folder, '--save', '']
    const [program = '', ...args] = [...prefix, required('redis-server'), ...own, ...options]
    return { program, args, ready: 'Ready to accept connections' }
  }
  let server: OwnServer = await ownServer(command)
  const { port, folder } = server
  // Its command line says what it does while the server is away: it fails at once.
  const witness = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 5 }).on('error', () => undefined)
  return {
    port,
    witness,
    freeze: () => void server.process.kill('SIGSTOP'),
    thaw: () => void server.process.kill('SIGCONT'),
    async kill() {
      const ended = once(server.process, 'exit')
      server.process.kill('SIGKILL')
      await ended
    },
    async restart() {
      server = await started(port, folder, command(port, folder))
    },
    async stop() {
      witness.disconnect()
      await server.stop()
    },
  }
}
