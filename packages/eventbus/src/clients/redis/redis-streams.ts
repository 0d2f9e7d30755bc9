import type { AnyFunction } from '@chaos/core/authoring'
import { allSeams, type Message, type SeamBinding, type Subscriber, type Tap } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'
import { isClosed } from './closed-client.js'

/** An entry of a stream, with its stream and id. */
export interface Entry {
  readonly stream: string
  readonly id: string
  /** The entry in the form of the client. */
  readonly raw: unknown
}

/** The methods of a client that publish. The first argument is the stream. */
export interface Adding {
  readonly methods: readonly string[]
  readonly read: (args: readonly unknown[]) => unknown
  readonly replace: (args: readonly unknown[], payload: unknown) => readonly unknown[]
}

/** The stream commands of a client that reads, and the form of their replies. */
export interface StreamsDialect {
  readonly reading: readonly Reading[]
  /** Methods that acknowledge. Their arguments are stream, group and ids. */
  readonly acking: readonly string[]
  readonly payload: (raw: unknown) => unknown
  readonly withPayload: (raw: unknown, payload: unknown) => unknown
}

/** A command that reads entries. */
export interface Reading {
  readonly methods: readonly string[]
  readonly entries: (reply: unknown, args: readonly unknown[]) => readonly Entry[]
  /** The same reply with other entries. Without entries, the reply of the server to an empty read. */
  readonly rebuild: (reply: unknown, entries: readonly Entry[]) => unknown
  /** The group and consumer that read; `undefined` for a read without a group. */
  readonly reader: (args: readonly unknown[]) => { readonly group: string; readonly consumer: string } | undefined
  /** Whether its entries were delivered before. */
  readonly claims: boolean
}

/** Whether a call has a callback. Such calls are never affected. */
const hasCallback = (args: readonly unknown[]): boolean => typeof args.at(-1) === 'function'

/** The publish seam: an awaited call that resolves with the id of the new entry. */
export function addSeam(client: object, { methods, read, replace }: Adding): SeamBinding {
  return allSeams(
    ...methods.map((method) =>
      methodSeam({
        object: client,
        method,
        isAwaited: true,
        name: (args) => (hasCallback(args) ? undefined : String(args[0])),
        read: (args) => ({
          get payload() {
            return read(args)
          },
          withPayload: (payload) => replace(args, payload),
          isGone: () => isClosed(client),
          answer: () => Promise.resolve(`${Date.now()}-0`),
        }),
      }),
    ),
  )
}

/** The acknowledgement seam: an awaited call that resolves with the number of entries that were pending. */
export function ackSeam(client: object, acking: readonly string[]): SeamBinding {
  const idsOf = (args: readonly unknown[]): unknown[] => args.slice(2).flat()
  return allSeams(
    ...acking.map((method) =>
      methodSeam({
        object: client,
        method,
        isAwaited: true,
        name: (args) => (hasCallback(args) ? undefined : String(args[0])),
        read(args) {
          const group = String(args[1])
          return {
            get payload() {
              return idsOf(args)
            },
            withPayload: () => args,
            subscriber: { name: group, identity: group },
            isGone: () => isClosed(client),
            answer: () => Promise.resolve(idsOf(args).length),
          }
        },
      }),
    ),
  )
}

/** The delivery seam: the fault decides on each entry of a reply, and so on the content and the time of the reply. */
export function readSeam(client: object, dialect: StreamsDialect): SeamBinding {
  return (tap, steps) => {
    let hasEnded = false
    steps.defer(() => void (hasEnded = true))
    for (const reading of dialect.reading) {
      const layer = (below: { readonly call: AnyFunction }): AnyFunction =>
        function (this: unknown, ...args: readonly unknown[]): unknown {
          const reply = below.call.apply(this, args) as Promise<unknown>
          if (hasCallback(args)) return reply
          const again = (): unknown => below.call.apply(this, args)
          return reply.then((value) =>
            hasEnded ? value : through(tap, client, dialect, { reading, args, reply: value, again }),
          )
        }
      for (const method of reading.methods) steps.patch(client, method, layer)
    }
  }
}

/** A call that reads, with its reply. */
interface Answered {
  readonly reading: Reading
  readonly args: readonly unknown[]
  readonly reply: unknown
  /** Makes the call again. */
  readonly again: () => unknown
}

/**
 * Passes the entries of a reply to the tap.
 *
 * @returns The reply, as soon as each entry is delivered, dropped or failed.
 */
function through(
  tap: Tap,
  client: object,
  dialect: StreamsDialect,
  { reading, args, reply, again }: Answered,
): unknown {
  const entries = reading.entries(reply, args)
  if (!entries.some(({ stream }) => tap.covers(stream))) return reply
  return new Promise((resolve) => {
    const arrived: Entry[] = []
    let isLost = false
    // One more than the number of entries, so that the reply waits until the loop below has made all copies.
    let undecided = entries.length + 1
    const decide = (): void => {
      undecided -= 1
      if (undecided === 0) resolve(reading.rebuild(reply, arrived))
    }
    const reader = reading.reader(args)
    const subscriber: Subscriber | undefined = reader && {
      name: reader.group,
      identity: `${reader.group} ${reader.consumer}`,
    }
    const messageOf = (entry: Entry): Message => ({
      name: entry.stream,
      args,
      payload: dialect.payload(entry.raw),
      subscriber,
      isRedelivered: reading.claims,
      forward: () => {
        arrived.push(entry)
        decide()
      },
      withPayload: (payload) => messageOf({ ...entry, raw: dialect.withPayload(entry.raw, payload) }),
      answer: () => undefined,
      copy: () => {
        undecided += 1
        return messageOf(entry)
      },
      lose: () => {
        const [ack] = dialect.acking
        if (reader !== undefined && ack !== undefined) acknowledge(client, ack, entry, reader.group)
        decide()
      },
      isGone: () => isClosed(client),
      // The closed client itself rejects the call. The entries stay pending until they are claimed.
      loseLate() {
        if (!isLost) resolve(again())
        isLost = true
      },
      // A failed consumer does not acknowledge the entry, which stays pending until it is claimed.
      fail: decide,
    })
    for (const entry of entries) {
      if (tap.covers(entry.stream)) {
        tap.take(messageOf(entry))
      } else {
        arrived.push(entry)
        decide()
      }
    }
    decide()
  })
}

/** Acknowledges a dropped entry, so that it does not stay pending. A disconnected client cannot, which is ignored. */
function acknowledge(client: object, method: string, { stream, id }: Entry, group: string): void {
  const call = Reflect.get(client, method) as (...args: readonly string[]) => Promise<unknown>
  void Reflect.apply(call, client, [stream, group, id]).catch(() => undefined)
}

/** The content of an entry: the value of its only field, or an object of all fields. */
export function contentOf(fields: Readonly<Record<string, unknown>>): unknown {
  const values = Object.values(fields)
  return values.length === 1 ? values[0] : fields
}

/** The same fields with other content. */
export function withContent(
  fields: Readonly<Record<string, unknown>>,
  content: unknown,
): Readonly<Record<string, unknown>> {
  const names = Object.keys(fields)
  const [only] = names
  return names.length === 1 && only !== undefined ? { [only]: content } : (content as Readonly<Record<string, unknown>>)
}
