import type { InjectionContext } from '../../fault/fault.js'
import type { CommandQueue, RedisClient } from './client.js'

/** A command whose answer a fault has in its hands: a client treats it like one that waits for its reply. */
export interface HeldCommand {
  /** Whether the command was sent after all, so that the queue counts it itself. */
  isSent?: boolean
  /** Why the client has failed the command, if it has. */
  failure?: { readonly error: Error }
  /** Called when the client fails the command. */
  fail?: (error: Error) => void
}

/** The held commands of one fault. */
export interface HeldCommands {
  /** Whether the queue of a client accepts no further command. */
  readonly isFull: (queue: CommandQueue, client: RedisClient) => boolean
  readonly add: (queue: CommandQueue, command: HeldCommand) => void
  /** Removes a command, if it is still there. */
  readonly remove: (queue: CommandQueue, command: HeldCommand) => void
  /** Runs a function that queues a command, and makes the client write it. */
  readonly write: (client: RedisClient, send: () => Promise<unknown>) => Promise<unknown>
}

const nothing = (): void => undefined

/**
 * Makes the queue of a client, or all queues, take held commands into account: in its length, and when its client closes,
 * loses its connection or is destroyed.
 */
export function heldCommands(place: object, { patch, defer }: Pick<InjectionContext, 'patch' | 'defer'>): HeldCommands {
  const held = new WeakMap<object, Set<HeldCommand>>()
  const isHolding = (queue: object): boolean => (held.get(queue)?.size ?? 0) > 0
  const countOf = (queue: object): number => [...(held.get(queue) ?? [])].filter(({ isSent }) => isSent !== true).length

  for (const method of ['flushAll', 'flushWaitingForReply'])
    patch(
      place,
      method,
      (below) =>
        function flush(this: CommandQueue, error: Error): unknown {
          const answer: unknown = below.call.call(this, error)
          const commands = held.get(this) ?? new Set()
          held.delete(this)
          for (const command of commands) {
            command.failure = { error }
            command.fail?.(error)
          }
          return answer
        },
    )
  patch(
    place,
    'isEmpty',
    (below) =>
      function isEmpty(this: CommandQueue): boolean {
        return !isHolding(this) && (below.call.call(this) as boolean)
      },
  )
  const isCounting = 'pendingCount' in place
  if (isCounting)
    patch(
      place,
      'pendingCount',
      (below) =>
        function pendingCount(this: CommandQueue): number {
          return countOf(this) + (below.call.call(this) as number)
        },
      { getter: true },
    )

  // The public method that makes a client write what its queue returns, without a call that instrumentations see.
  const WRITE = Symbol('write')
  let queued: (() => Promise<unknown>) | undefined
  patch(
    place,
    'extendPubSubListeners',
    (below) =>
      function extendPubSubListeners(this: CommandQueue, type: unknown, ...rest: unknown[]): unknown {
        return type === WRITE ? queued?.() : (below.call.call(this, type, ...rest) as unknown)
      },
  )
  let isOver = false
  defer(() => void (isOver = true))

  return {
    isFull(queue, { options }) {
      const most = options?.commandsQueueMaxLength
      if (!most || countOf(queue) === 0) return false
      return (isCounting ? (queue.pendingCount ?? 0) : countOf(queue)) >= most
    },
    add: (queue, command) => void held.set(queue, (held.get(queue) ?? new Set()).add(command)),
    remove: (queue, command) => void held.get(queue)?.delete(command),
    write(client, send) {
      if (isOver) {
        const answer = send()
        client._executePipeline([]).catch(nothing)
        return answer
      }
      queued = send
      try {
        return client.extendPubSubListeners(WRITE)
      } finally {
        queued = undefined
      }
    },
  }
}
