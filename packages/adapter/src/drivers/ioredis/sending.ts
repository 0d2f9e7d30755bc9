import type { HeldOn } from '@chaos/core/authoring'
import {
  copyOf,
  isCopy,
  SILENT,
  StraightPipeline,
  type PipelineStream,
  type RedisCommand,
  type RedisConnection,
} from './command.js'

/** A command that its client has taken and has not sent. */
interface Taken {
  readonly on: HeldOn
  /** Ends the wait for an answer. Returns `false` if the client has failed the command before. */
  readonly end: () => boolean
}

/** How the commands of a client are kept from being sent, and sent. */
export interface Sending {
  /** Whether a fault may affect a command now. A command without a connection comes again when there is one. */
  readonly isDue: (client: RedisConnection) => boolean
  /**
   * Lets the client do everything with a command but send it.
   *
   * @returns `undefined` if the client has rejected the command.
   */
  readonly take: (client: RedisConnection, command: RedisCommand) => Taken | undefined
  /** Sends a copy of a taken command, with an answer of its own. Faults beneath decide about the copy. */
  readonly sendCopy: (client: RedisConnection, command: RedisCommand, through?: PipelineStream) => Promise<unknown>
  /** Fails the taken commands of a client that still wait for their answers, as the client fails those that it has sent. */
  readonly fail: (client: RedisConnection, error: unknown) => void
}

/** Sends a command as the client does. */
type Send = (client: RedisConnection, command: RedisCommand, stream?: PipelineStream) => unknown

const closed = (): Error => new Error('Connection is closed.')

/**
 * Sends commands where a `Redis` client writes them: beneath the instrumentation of its class, `commandTimeout`, the
 * retries and the queue of commands that wait for a connection.
 *
 * @param passed The commands that pass the seam without a decision.
 */
export function clientSending(send: Send, passed: WeakSet<RedisCommand>): Sending {
  const waiting = new WeakMap<RedisConnection, Set<RedisCommand>>()
  const failed = new WeakSet<RedisCommand>()
  return {
    isDue: ({ status, stream }) => status === 'ready' && stream?.writable === true,
    take(client, command) {
      if (!isCopy(command)) {
        send(client, command, SILENT)
        if (client.commandQueue.peekBack()?.command !== command) return undefined
        client.commandQueue.pop()
      }
      const commands = waiting.get(client) ?? new Set()
      waiting.set(client, commands.add(command))
      return {
        on: { isGone: () => failed.has(command) || client.status === 'end' },
        end: () => commands.delete(command),
      }
    },
    sendCopy(client, command, through) {
      if (failed.has(command)) return Promise.reject(closed())
      const copy = copyOf(command)
      passed.add(copy)
      send(client, copy, through)
      return copy.promise
    },
    fail(client, error) {
      const commands = waiting.get(client) ?? new Set<RedisCommand>()
      for (const command of [...commands]) {
        commands.delete(command)
        failed.add(command)
        command.reject(error)
      }
    },
  }
}

/** Sends a copy of a command as ioredis does, in the present state of the client. */
export function write(client: RedisConnection, command: RedisCommand, through: PipelineStream | undefined): void {
  const { status, stream, commandQueue, offlineQueue, options } = client
  // A client that sends it again knows only pipelines of its own.
  const again = through instanceof StraightPipeline ? undefined : through
  const queued = { command, stream: again, select: client.condition?.select ?? 0 }
  if (status === 'end') {
    command.reject(closed())
  } else if (status === 'ready' && stream?.writable === true) {
    const place = through ?? stream
    place.write(command.toWritable(stream))
    commandQueue.push(queued)
  } else if (options.enableOfflineQueue === false) {
    command.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"))
  } else {
    offlineQueue.push(queued)
  }
}
