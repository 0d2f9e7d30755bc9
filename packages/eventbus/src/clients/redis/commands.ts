import { copiedBytes } from '@chaos/core/authoring'
import type { Subscriber } from '../../seams/bus.js'
import { replaced } from '../../seams/method-seam.js'
import { addedContent, withAddedContent } from './added-fields.js'

/** The arguments of a command, without its name. */
export type Args = readonly unknown[]

/** Sends a command of the fault's own, where the affected command was to be sent. */
type Ask = (name: string, ...args: Args) => Promise<unknown>

/** How the commands of one name are messages. */
export interface MessageCommand {
  readonly name: (args: Args) => string
  readonly payload: (args: Args) => unknown
  readonly withPayload: (args: Args, payload: unknown) => Args
  readonly subscriber?: (args: Args) => Subscriber
  /** The reply to a message that a fault drops. */
  readonly reply: (args: Args, ask: Ask) => unknown
}

/** Commands that are messages, by their names in capitals. */
export type MessageCommands = ReadonlyMap<string, MessageCommand>

const first = (args: Args): string => String(args[0])

const publication = (counting: 'NUMSUB' | 'SHARDNUMSUB'): MessageCommand => ({
  name: first,
  payload: (args) => args[1],
  withPayload: (args, payload) => replaced(args, 1, payload),
  async reply([channel], ask) {
    const counts = (await ask('PUBSUB', counting, channel)) as readonly unknown[]
    return Number(counts[1])
  },
})

/** `PUBLISH` and `SPUBLISH`: the reply is the number of subscribers, without patterns. */
export const publications: MessageCommands = new Map([
  ['PUBLISH', publication('NUMSUB')],
  ['SPUBLISH', publication('SHARDNUMSUB')],
])

/** `XADD`: the reply is the id of the new entry. */
export const additions: MessageCommands = new Map([
  [
    'XADD',
    {
      name: first,
      payload: addedContent,
      withPayload: withAddedContent,
      reply: () => `${Date.now()}-0`,
    },
  ],
])

/** `XACK`: the arguments are stream, group and ids, the reply is the number of entries that were pending. */
export const acknowledgements: MessageCommands = new Map([
  [
    'XACK',
    {
      name: first,
      payload: (args) => args.slice(2),
      withPayload: (args) => args,
      subscriber: ([, group]) => ({ name: String(group), identity: String(group) }),
      reply: (args) => args.length - 2,
    },
  ],
])

/** The arguments as they are now, for a command that is sent later. */
export const snapshotOf = (args: Args): Args => args.map(copiedBytes)
