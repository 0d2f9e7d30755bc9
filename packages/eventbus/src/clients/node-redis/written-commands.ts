import { tapNodeRedis, type TakenCommand } from '@chaos/core/authoring'
import type { SeamBinding } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'
import { snapshotOf, type Args, type MessageCommands } from '../redis/commands.js'

type Command = TakenCommand['args']

/**
 * Binds commands of a client of node-redis where it writes them: beneath its timeouts and instrumentation. Commands of a
 * pipeline or transaction pass.
 *
 * @param atCall The seam for a client whose queue is out of reach.
 */
export function writtenCommands(client: object, kinds: MessageCommands, atCall: SeamBinding): SeamBinding {
  // The object that `createClient` returns inherits from the client that does the work.
  const holder = (Reflect.get(client, '_self') ?? client) as object
  return (tap, steps) => {
    /** Where the commands go through the fault. The last argument is the passage of the command. */
    const door = { write: (...args: Args) => passageIn(args).send(args.slice(0, -1)) }
    const kindOf = (name: unknown) => kinds.get(String(name).toUpperCase())
    const taken = new WeakMap<Command, Passage>()
    const isTapped = tapNodeRedis(
      holder,
      steps,
      {
        choose([command]) {
          if (command === undefined) return undefined
          const [name, ...args] = command
          const channel = kindOf(name)?.name(args)
          if (channel === undefined || !tap.covers(channel)) return undefined
          const passage = new Passage(command)
          passage.answer = attempt(() => door.write(...args, passage))
          if (passage.isPlain()) return undefined
          taken.set(command, passage)
          return command
        },
        answer: (command) => (taken.get(command.args) as Passage).open(command),
      },
      { isOnlyAlone: true },
    )
    if (!isTapped) {
      atCall(tap, steps)
      return
    }
    methodSeam({
      object: door,
      method: 'write',
      isAwaited: true,
      name: (args) => kindOf(passageIn(args).command[0])?.name(args),
      read(args) {
        const passage = passageIn(args)
        const own = args.slice(0, -1)
        const kind = kindOf(passage.command[0])
        return (
          kind && {
            get payload() {
              return kind.payload(own)
            },
            withPayload: (payload) => [...kind.withPayload(own, payload), passage],
            snapshot: () => [...snapshotOf(own), passage],
            subscriber: kind.subscriber?.(own),
            isGone: () => passage.isGone(),
            answer: () => Promise.resolve(kind.reply(own, (...command) => passage.ask(command))),
          }
        )
      },
    })(tap, steps)
  }
}

const passageIn = (args: Args): Passage => args.at(-1) as Passage

/** What a function returns or throws, as a promise. A promise stays the same. */
function attempt(work: () => unknown): Promise<unknown> {
  try {
    const answer = work()
    return answer instanceof Promise ? answer : Promise.resolve(answer)
  } catch (error) {
    return Promise.resolve().then(() => {
      throw error
    })
  }
}

/** The way of a command through the faults, which begins while its client writes. */
class Passage {
  readonly command: Command
  /** What the sender gets. */
  answer: Promise<unknown> | undefined
  /** The commands that were let go on before the client has let go of the command, and their answers. */
  readonly #early: { readonly command: Command; readonly answer: Promise<unknown>; readonly send: () => void }[] = []
  #taken: TakenCommand | undefined

  constructor(command: Command) {
    this.command = command
  }

  /** Whether the command goes on by itself, as it is: its client then writes it in its place. */
  isPlain(): boolean {
    const [only, ...others] = this.#early
    return (
      only !== undefined &&
      others.length === 0 &&
      only.answer === this.answer &&
      only.command.length === this.command.length &&
      only.command.every((arg, index) => arg === this.command[index])
    )
  }

  send(args: Args): Promise<unknown> {
    return this.ask([this.command[0], ...args])
  }

  /** Sends this or another command, as soon as the client has let go of this one. */
  ask(command: Command): Promise<unknown> {
    const taken = this.#taken
    if (taken !== undefined) return taken.send(command)
    let send = (): void => undefined
    const answer = new Promise((resolve) => {
      send = () => resolve(this.#taken?.send(command))
    })
    this.#early.push({ command, answer, send })
    return answer
  }

  open(taken: TakenCommand): Promise<unknown> {
    this.#taken = taken
    for (const { send } of this.#early) send()
    return this.answer as Promise<unknown>
  }

  isGone(): boolean {
    return this.#taken?.on.isGone() === true
  }
}
