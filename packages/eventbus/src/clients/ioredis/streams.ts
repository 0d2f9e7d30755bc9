import { bindBus, type Bus } from '../../seams/bus.js'
import { acknowledgements, additions } from '../redis/commands.js'
import { ioredisConnection } from './connection.js'
import { writtenCommands } from './written-commands.js'
import { fieldsOf, flatFields } from '../redis/added-fields.js'
import {
  contentOf,
  readSeam,
  withContent,
  type Entry,
  type Reading,
  type StreamsDialect,
} from '../redis/redis-streams.js'

/** An ioredis client that reads or writes streams: a `Redis` or a `Cluster`. */
export interface IoredisStreamsClient {
  xadd(...args: never): Promise<unknown>
  xreadgroup(...args: never): Promise<unknown>
  xack(...args: never): Promise<unknown>
}

/** The clients of one bus, which may be the same client. Leave out a client that this process does not have. */
export interface IoredisStreamsClients {
  readonly publisher?: IoredisStreamsClient | undefined
  /** The client that reads. */
  readonly consumer?: IoredisStreamsClient | undefined
  /** The client that acknowledges. Default: `consumer`. */
  readonly acknowledger?: IoredisStreamsClient | undefined
}

/**
 * Binds Redis Streams through ioredis: `xadd`, `xreadgroup`, `xread`, `xautoclaim` and `xack`. The name of a message is its
 * stream; a subscriber is a consumer group. The content of an entry is the value of its only field, or an object of all
 * fields.
 *
 * A reply to a read arrives when no entry of it is held any more, so a held entry delays the whole reply. A read that is
 * pending when a fault is armed is not affected. An entry whose delivery fails stays pending until it is claimed; a dropped
 * entry is acknowledged. Redis has no negative acknowledgement. Pipelines and transactions are never affected, and reads
 * with a callback neither.
 *
 * `xadd` and `xack` are held where the client, or a node of a `Cluster`, writes them: beneath its `commandTimeout` and
 * instrumentation.
 */
export function bindIoredisStreams({ publisher, consumer, acknowledger = consumer }: IoredisStreamsClients): Bus {
  return bindBus({
    kind: 'streams of ioredis',
    knowsSubscribers: true,
    connections: [
      ...ioredisConnection('publisher', publisher),
      ...ioredisConnection('consumer', consumer === publisher ? undefined : consumer),
    ],
    seams: {
      publish: publisher && writtenCommands(publisher, additions),
      delivery: consumer && readSeam(consumer, DIALECT),
      ack: acknowledger && writtenCommands(acknowledger, acknowledgements),
    },
  })
}

/**
 * An entry of ioredis: its id, and alternating names and values of its fields; `null` instead of fields if it was
 * deleted.
 */
type RawEntry = readonly [id: unknown, fields: readonly unknown[] | null]
type RawStream = readonly [stream: unknown, entries: readonly RawEntry[]]

const entryOf = (stream: unknown, raw: RawEntry): Entry => ({ stream: String(stream), id: String(raw[0]), raw })

/** The argument after a keyword of a command. */
function after(word: string, args: readonly unknown[], offset = 1): string {
  return String(args[args.findIndex((arg) => String(arg).toUpperCase() === word) + offset])
}

const reading: Pick<Reading, 'entries' | 'rebuild'> = {
  entries: (reply) =>
    ((reply ?? []) as readonly RawStream[]).flatMap(([stream, entries]) =>
      entries.map((entry) => entryOf(stream, entry)),
    ),
  rebuild(reply, entries) {
    const streams = (reply as readonly RawStream[]).map(
      ([name]) => [name, entries.filter(({ stream }) => stream === String(name)).map(({ raw }) => raw)] as const,
    )
    const filled = streams.filter(([, { length }]) => length > 0)
    return filled.length === 0 ? null : filled
  },
}

const DIALECT: StreamsDialect = {
  reading: [
    {
      ...reading,
      methods: ['xreadgroup', 'xreadgroupBuffer'],
      claims: false,
      reader: (args) => ({ group: after('GROUP', args.flat()), consumer: after('GROUP', args.flat(), 2) }),
    },
    { ...reading, methods: ['xread', 'xreadBuffer'], claims: false, reader: () => undefined },
    {
      methods: ['xautoclaim', 'xautoclaimBuffer'],
      claims: true,
      reader: ([, group, consumer]) => ({ group: String(group), consumer: String(consumer) }),
      entries: (reply, [stream]) =>
        (reply as readonly [unknown, readonly RawEntry[]])[1].map((entry) => entryOf(stream, entry)),
      rebuild: (reply, entries) =>
        (reply as readonly unknown[]).map((part, index) => (index === 1 ? entries.map(({ raw }) => raw) : part)),
    },
  ],
  acking: ['xack'],
  payload: (raw) => contentOf(fieldsOf((raw as RawEntry)[1] ?? [])),
  withPayload: (raw, payload) => [
    (raw as RawEntry)[0],
    flatFields(withContent(fieldsOf((raw as RawEntry)[1] ?? []), payload)),
  ],
}
