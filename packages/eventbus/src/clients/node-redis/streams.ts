import { bindBus, type Bus } from '../../seams/bus.js'
import { acknowledgements, additions } from '../redis/commands.js'
import { nodeRedisConnection } from './connection.js'
import { writtenCommands } from './written-commands.js'
import {
  ackSeam,
  addSeam,
  contentOf,
  readSeam,
  withContent,
  type Adding,
  type Entry,
  type Reading,
  type StreamsDialect,
} from '../redis/redis-streams.js'

/** A node-redis client that reads or writes streams. */
export interface NodeRedisStreamsClient {
  xAdd(...args: never): Promise<unknown>
  xReadGroup(...args: never): Promise<unknown>
  xAck(...args: never): Promise<unknown>
  sendCommand(args: never): Promise<unknown>
  readonly isReady: boolean
  on(event: never, listener: never): unknown
  off(event: never, listener: never): unknown
}

/** The clients of one bus, which may be the same client. Leave out a client that this process does not have. */
export interface NodeRedisStreamsClients {
  readonly publisher?: NodeRedisStreamsClient | undefined
  /** The client that reads. */
  readonly consumer?: NodeRedisStreamsClient | undefined
  /** The client that acknowledges. Default: `consumer`. */
  readonly acknowledger?: NodeRedisStreamsClient | undefined
}

/**
 * Binds Redis Streams through node-redis: `xAdd`, `xReadGroup`, `xRead`, `xAutoClaim` and `xAck`. The name of a message is
 * its stream; a subscriber is a consumer group. The content of an entry is the value of its only field, or an object of all
 * fields.
 *
 * A reply to a read arrives when no entry of it is held any more, so a held entry delays the whole reply. A read that is
 * pending when a fault is armed is not affected. An entry whose delivery fails stays pending until it is claimed; a dropped
 * entry is acknowledged. Redis has no negative acknowledgement. Commands of `multi` are never affected.
 *
 * `xAdd` and `xAck` are held where the client writes them, beneath its timeouts and instrumentation. The arguments that an
 * `only` predicate gets are then those of the command, as Redis sees them.
 */
export function bindNodeRedisStreams({ publisher, consumer, acknowledger = consumer }: NodeRedisStreamsClients): Bus {
  return bindBus({
    kind: 'streams of node-redis',
    knowsSubscribers: true,
    connections: [
      ...nodeRedisConnection('publisher', publisher),
      ...nodeRedisConnection('consumer', consumer === publisher ? undefined : consumer),
    ],
    seams: {
      publish: publisher && writtenCommands(publisher, additions, addSeam(publisher, ADDING)),
      delivery: consumer && readSeam(consumer, DIALECT),
      ack: acknowledger && writtenCommands(acknowledger, acknowledgements, ackSeam(acknowledger, DIALECT.acking)),
    },
  })
}

type Fields = Readonly<Record<string, unknown>>
/** An entry of node-redis; `null` if it was deleted. */
type RawEntry = { readonly id: unknown; readonly message: Fields } | null
interface RawStream {
  readonly name: unknown
  readonly messages: readonly RawEntry[]
}

const entriesOf = (stream: unknown, raw: readonly RawEntry[]): Entry[] =>
  raw.map((entry) => ({ stream: String(stream), id: String(entry?.id), raw: entry }))

const reading: Pick<Reading, 'entries' | 'rebuild'> = {
  entries: (reply) =>
    ((reply ?? []) as readonly RawStream[]).flatMap(({ name, messages }) => entriesOf(name, messages)),
  rebuild(reply, entries) {
    const streams = (reply as readonly RawStream[]).map((stream) => ({
      ...stream,
      messages: entries.filter((entry) => entry.stream === String(stream.name)).map(({ raw }) => raw),
    }))
    const filled = streams.filter(({ messages }) => messages.length > 0)
    return filled.length === 0 ? null : filled
  },
}

const reader: Reading['reader'] = ([group, consumer]) => ({ group: String(group), consumer: String(consumer) })

const ADDING: Adding = {
  methods: ['xAdd', 'XADD'],
  read: ([, , fields]) => contentOf(fields as Fields),
  replace: (args, payload) => args.map((arg, index) => (index === 2 ? withContent(arg as Fields, payload) : arg)),
}

const DIALECT: StreamsDialect = {
  reading: [
    { ...reading, methods: ['xReadGroup', 'XREADGROUP'], claims: false, reader },
    { ...reading, methods: ['xRead', 'XREAD'], claims: false, reader: () => undefined },
    {
      methods: ['xAutoClaim', 'XAUTOCLAIM'],
      claims: true,
      reader: ([, ...rest]) => reader(rest),
      entries: (reply, [stream]) => entriesOf(stream, (reply as { readonly messages: readonly RawEntry[] }).messages),
      rebuild: (reply, entries) => ({ ...(reply as object), messages: entries.map(({ raw }) => raw) }),
    },
  ],
  acking: ['xAck', 'XACK'],
  payload: (raw) => contentOf((raw as RawEntry)?.message ?? {}),
  withPayload: (raw, payload) =>
    raw === null
      ? null
      : { ...(raw as NonNullable<RawEntry>), message: withContent((raw as NonNullable<RawEntry>).message, payload) },
}
