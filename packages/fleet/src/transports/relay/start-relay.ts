import type { Clock } from '@chaos/core'
import { checkOptions, exempt, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { once } from 'node:events'
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import net from 'node:net'
import { dirname } from 'node:path'
import type { AgentTransport, ControllerTransport } from '../transport.js'
import { send } from './lines.js'
import { preparePrivateDirectory, unusable } from './private-directory.js'
import { serveProcess } from './serve-process.js'

/** Where a relay listens. */
export interface RelayOptions {
  /** The path of the Unix socket. Its directory is made if it is missing, and must be private (mode 700). */
  readonly path: string
  /**
   * Lets the processes of this user control the fleet by the same socket: list, open, renew and close runs, halt, permit. Plans
   * stay signed, and each agent checks them. Like the other transport, it is not closed with the relay. Default: agents only.
   */
  readonly control?: ControllerTransport | undefined
  /** The source of time. Default: the monotonic clock of the process. */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** A relay that listens. */
export interface Relay {
  readonly path: string
  /** Ends it, and leaves the transport to its owner. To the local processes it is as if it had died. */
  stop(): Promise<void>
}

const schema = optionsSchema({ path: option.text('The path of the Unix socket.', 1_024) })
/** The most local processes. */
const MAX_CONNECTIONS = 1_000

/**
 * Relays the processes of one host to an engine: it holds the credential and one connection for all of them. It keeps nothing
 * of what it reads. The lease that it tells of is what is left when it answers, so whatever a relay does, hang or die, the
 * processes revert within the lease of their run.
 *
 * @param transport Reaches the engine. It is not closed with the relay.
 * @throws ChaosError `CHAOS_INVALID_OPTION`; `CHAOS_SOCKET_DIRECTORY` if others can enter the directory, if the socket cannot
 *   be made, or if a relay listens there.
 */
export async function startRelay(transport: AgentTransport, options: RelayOptions): Promise<Relay> {
  const { clock = systemClock, control, ...rest } = options
  const { path } = checkOptions(schema, rest, 'the relay')
  preparePrivateDirectory(dirname(path))
  await removeStale(path)
  const sockets = new Set<net.Socket>()
  const controllers = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    serveProcess(socket, { transport, control, clock, controllers })
  })
  server.maxConnections = MAX_CONNECTIONS
  try {
    await once(server.listen(path), 'listening')
    chmodSync(path, 0o600)
  } catch (error) {
    server.close()
    throw unusable(path, (error as Error).message, error)
  }
  const stopWaking = transport.onWake(() => {
    // A process that does not read what it was told has something to read.
    for (const socket of sockets) if (!socket.writableNeedDrain) send(socket, { wake: true })
  })
  return {
    path,
    async stop() {
      stopWaking()
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Removes the socket of a relay that was killed. @throws ChaosError `CHAOS_SOCKET_DIRECTORY` if there is anything else. */
async function removeStale(path: string): Promise<void> {
  // Plain numbers would have the module loader of Node.js 18 to 22 follow no links after it has seen a socket (nodejs/node#51142); `rmSync` gets them too.
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isSocket()) throw unusable(path, 'something that is no socket is there')
  const socket = exempt(new net.Socket()).connect({ path })
  try {
    await once(socket, 'connect')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw unusable(path, (error as Error).message, error)
    unlinkSync(path)
    return
  } finally {
    socket.destroy()
  }
  throw unusable(path, 'another relay listens there')
}
