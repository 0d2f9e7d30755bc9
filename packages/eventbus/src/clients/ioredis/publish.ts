import { copiedBytes } from '@chaos/core/authoring'
import type { SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { closed, hasPassed, take, type Command, type CommandClient, type Taken } from './command.js'

/** The commands that publish, and the subcommand of `pubsub` that counts the subscribers of a channel. */
const COUNTING: Readonly<Record<string, string>> = { publish: 'NUMSUB', spublish: 'SHARDNUMSUB' }

/** Where the published messages of a client go through the faults that are in force on it. */
interface Door {
  write(channel: string, message: unknown, taken: Taken): void
}
const doors = new WeakMap<object, Door>()

function doorOf(client: object): Door {
  const door = doors.get(client) ?? {
    write: (channel: string, message: unknown, taken: Taken) => taken.send([channel, message]),
  }
  doors.set(client, door)
  return door
}

/**
 * Binds the `publish` and `spublish` commands of a client where it writes them: beneath its `commandTimeout` and the
 * instrumentation of its class. Commands of a pipeline or transaction pass.
 */
export function commandSeam(
  client: CommandClient & { pubsub(subcommand: never, channel: never): Promise<unknown[]> },
): SeamBinding {
  return (tap, steps) => {
    const door = doorOf(client)
    const seam = methodSeam<readonly [channel: string, message: unknown, taken: Taken]>({
      object: door,
      method: 'write',
      name: ([channel]) => channel,
      read(args) {
        const [channel, message, taken] = args
        const { command } = taken
        return {
          payload: message,
          withPayload: (payload) => replaced(args, 1, payload),
          snapshot: () => replaced(args, 1, copiedBytes(message)),
          isGone: () => client.status === 'end',
          lose: () => {
            const counted = client.pubsub((COUNTING[command.name] ?? '') as never, channel as never)
            counted.then(
              ([, receivers]) => command.resolve(receivers),
              (error: unknown) => command.reject(error),
            )
          },
          loseLate: () => command.reject(closed()),
          copy: () => [channel, message, taken.copy()],
        }
      },
    })
    seam(tap, steps)
    steps.patch(
      client,
      'sendCommand',
      (below) =>
        function sendCommand(this: unknown, command: Command, ...rest: readonly unknown[]): unknown {
          const [channel, message] = command.args
          if (
            rest[0] !== undefined ||
            COUNTING[command.name] === undefined ||
            hasPassed(command) ||
            !tap.covers(String(channel))
          )
            return below.call.call(this, command, ...rest) as unknown
          const taken = take(client, below, command)
          if (taken !== undefined) door.write(String(channel), message, taken)
          return command.promise
        },
    )
  }
}
