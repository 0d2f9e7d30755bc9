import type { SeamBinding } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'
import { isClosed } from '../redis/closed-client.js'
import { snapshotOf, type Args, type MessageCommand, type MessageCommands } from '../redis/commands.js'
import { autoPipelined } from './auto-pipelines.js'
import { closed, hasPassed, take, type Command, type PipelineStream, type Taken } from './command.js'
import { eachNode } from './nodes.js'

/** Where the commands of a client go through the faults that are in force on it. The last argument is the taken command. */
interface Door {
  write(...args: Args): void
}
const doors = new WeakMap<object, Door>()

function doorOf(client: object): Door {
  const door = doors.get(client) ?? { write: (...args: Args) => takenIn(args).send(args.slice(0, -1)) }
  doors.set(client, door)
  return door
}

const takenIn = (args: Args): Taken => args.at(-1) as Taken

/**
 * Binds commands of a `Redis` or a `Cluster` where a client writes them: beneath its `commandTimeout`, its automatic
 * pipelines, the nodes of a cluster, and the instrumentation of its class. Commands of a pipeline or transaction of the
 * application pass.
 */
export function writtenCommands(client: object, kinds: MessageCommands): SeamBinding {
  const kindOf = ({ name }: Command): MessageCommand | undefined => kinds.get(name.toUpperCase())
  return (tap, steps) => {
    const door = doorOf(client)
    methodSeam({
      object: door,
      method: 'write',
      name: (args) => kindOf(takenIn(args).command)?.name(args),
      read(args) {
        const [taken, own] = [takenIn(args), args.slice(0, -1)]
        const { command } = taken
        const kind = kindOf(command)
        return (
          kind && {
            get payload() {
              return kind.payload(own)
            },
            withPayload: (payload) => [...kind.withPayload(own, payload), taken],
            snapshot: () => [...snapshotOf(own), taken],
            subscriber: kind.subscriber?.(own),
            isGone: () => isClosed(client) || isClosed(taken.client),
            lose: () => {
              Promise.resolve(kind.reply(own, taken.ask)).then(
                (reply) => command.resolve(reply),
                (error: unknown) => command.reject(error),
              )
            },
            loseLate: () => command.reject(closed()),
            copy: () => [...own, taken.copy()],
          }
        )
      },
    })(tap, steps)
    const isAutoPipelined = autoPipelined(client, steps)
    eachNode(client, steps, (node) =>
      steps.patch(
        node,
        'sendCommand',
        (below) =>
          function sendCommand(
            this: unknown,
            command: Command,
            stream?: PipelineStream,
            ...rest: readonly unknown[]
          ): unknown {
            const name = hasPassed(command) ? undefined : kindOf(command)?.name(command.args)
            if (name === undefined || !tap.covers(name) || (stream !== undefined && !isAutoPipelined(command)))
              return below.call.call(this, command, stream, ...rest) as unknown
            take(node, below, command, stream, (taken) => door.write(...command.args, taken))
            return command.promise
          },
      ),
    )
  }
}
