import type { AnyFunction } from '@chaos/core/authoring'
import { allSeams, type Message, type SeamBinding, type Subscriber, type Tap } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'

/** An entry of a stream as a client gives it, and where it came from. */
export interface Entry {
  readonly stream: string
  readonly id: string
  /** What the client calls an entry. */
  readonly raw: unknown
}

/** How a client speaks of streams. */
export interface StreamsDialect {
  /** Methods that publish: where the stream and the content of an entry are. */
  readonly adding: {
    readonly methods: readonly string[]
    readonly read: (args: readonly unknown[]) => unknown
    readonly replace: (args: readonly unknown[], payload: unknown) => readonly unknown[]
  }
  readonly reading: readonly Reading[]
  /** Methods that acknowledge: stream, group, ids. */
  readonly acking: readonly string[]
  readonly payload: (raw: unknown) => unknown
  readonly withPayload: (raw: unknown, payload: unknown) => unknown
}

/** A command that reads entries. */
export interface Reading {
  readonly methods: readonly string[]
  readonly entries: (reply: unknown, args: readonly unknown[]) => readonly Entry[]
  /** The same reply with other entries; none is what the server answers when there are none. */
  readonly rebuild: (reply: unknown, entries: readonly Entry[]) => unknown
  /** Who reads: a group, and which of its consumers. None reads without a group. */
  readonly reader: (args: readonly unknown[]) => { readonly group: string; readonly consumer: string } | undefined
  /** Whether what it reads was delivered before. */
  readonly claims: boolean
}

/** A call that hands its reply to a function of the application is let through as it is. */
const hasCallback = (args: readonly unknown[]): boolean => typeof args.at(-1) === 'function'

/** Publishing: an awaited call that resolves with the id of the new entry. */
export function addSeam(client: object, { adding }: StreamsDialect): SeamBinding {
  const { methods, read, replace } = adding
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
          answer: () => Promise.resolve(`${Date.now()}-0`),
        }),
      }),
    ),
  )
}

/** Acknowledging: an awaited call that resolves with how many entries were pending. */
export function ackSeam(client: object, { acking }: StreamsDialect): SeamBinding {
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
            answer: () => Promise.resolve(idsOf(args).length),
          }
        },
      }),
    ),
  )
}

/** Delivery: what became of each entry of a reply decides what the reply holds, and when it comes. */
export function readSeam(client: object, dialect: StreamsDialect): SeamBinding {
  return (tap, steps) => {
    let hasEnded = false
    steps.defer(() => void (hasEnded = true))
    for (const reading of dialect.reading) {
      const layer = (below: { readonly call: AnyFunction }): AnyFunction =>
        function (this: unknown, ...args: readonly unknown[]): unknown {
          const reply = below.call.apply(this, args) as Promise<unknown>
          if (hasCallback(args)) return reply
          return reply.then((value) => (hasEnded ? value : through(tap, client, dialect, reading, args, value)))
        }
      for (const method of reading.methods) steps.patch(client, method, layer)
    }
  }
}

/** Leads the entries of a reply through the tap. @returns The reply, as soon as it is known what becomes of each of them. */
function through(
  tap: Tap,
  client: object,
  dialect: StreamsDialect,
  reading: Reading,
  args: readonly unknown[],
  reply: unknown,
): unknown {
  const entries = reading.entries(reply, args)
  if (!entries.some(({ stream }) => tap.covers(stream))) return reply
  return new Promise((resolve) => {
    const arrived: Entry[] = []
    // One more than there are entries: their copies come before the reply goes.
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
      // Whoever failed has not acknowledged it: it stays pending until it is claimed.
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

/** What is lost is gone for good: it does not stay pending. A client that is cut off meanwhile cannot say so. */
function acknowledge(client: object, method: string, { stream, id }: Entry, group: string): void {
  const call = Reflect.get(client, method) as (...args: readonly string[]) => Promise<unknown>
  void Reflect.apply(call, client, [stream, group, id]).catch(() => undefined)
}

/** The content of an entry: the value of its only field, or all fields as an object. */
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
