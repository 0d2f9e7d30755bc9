/** A client that a binding breaks at the right place, known by its members. */
interface KnownClient {
  /** What the target is: `a pool or a client of pg`. */
  readonly what: string
  /** Members that are functions. */
  readonly methods: readonly string[]
  /** Members that exist. Each entry may give alternatives. */
  readonly members: readonly string[]
  readonly advice: string
}

const byCalls = (binding: string, path: string): string =>
  `Its operations are commands: bind it with \`${binding}\` of \`@chaos/adapter/${path}\` and pass the result.`
const byEvents = (binding: string, path: string): string =>
  `Its operations are messages: bind it with \`${binding}\` of \`@chaos/eventbus/${path}\` and use event faults.`

const KNOWN: readonly KnownClient[] = [
  client('a pool of pg', ['connect', 'query'], ['totalCount', 'idleCount'], byCalls('bindPg', 'pg')),
  client('a client of pg', ['connect', 'query', 'escapeLiteral', 'getTypeParser'], [], byCalls('bindPg', 'pg')),
  client('a pool of mysql2', ['getConnection', 'query', 'execute', 'format'], [], byCalls('bindMysql2', 'mysql2')),
  client('a connection of mysql2', ['query', 'execute', 'format', 'unprepare'], [], byCalls('bindMysql2', 'mysql2')),
  client('a client of ioredis', ['sendCommand', 'duplicate', 'defineCommand'], [], byCalls('bindIoredis', 'ioredis')),
  client('a client of node-redis', ['sendCommand', 'duplicate'], ['isReady'], byCalls('bindNodeRedis', 'node-redis')),
  client('a client of mongodb', ['db', 'startSession'], [], byCalls('bindMongodb', 'mongodb')),
  client('a database of level', ['sublevel', 'batch', '_put'], [], byCalls('bindLevel', 'level')),
  client('a channel of amqplib', ['assertQueue', 'consume', 'ack'], [], byEvents('bindAmqplib', 'amqplib')),
  client(
    'a connection of amqplib',
    ['createChannel', 'close'],
    ['connection'],
    byEvents('bindAmqplib', 'amqplib').replace('bind it', 'bind its channels'),
  ),
  client('a client of kafkajs', ['producer', 'consumer', 'admin'], [], byEvents('bindKafkajs', 'kafkajs')),
  client('a producer of kafkajs', ['send', 'sendBatch', 'transaction'], [], byEvents('bindKafkajs', 'kafkajs')),
  client('a consumer of kafkajs', ['run', 'subscribe', 'commitOffsets'], [], byEvents('bindKafkajs', 'kafkajs')),
  client('a connection of nats', ['publish', 'subscribe', 'jetstream'], [], byEvents('bindNats', 'nats')),
  client('a client of mqtt', ['publish', 'subscribe', 'handleMessage'], [], byEvents('bindMqtt', 'mqtt')),
  client('a queue of BullMQ', ['add', 'addBulk', 'getJobs'], [], byEvents('bindBullmq', 'bullmq')),
  client('a worker of BullMQ', ['run', 'processJob', 'getNextJob'], [], byEvents('bindBullmq', 'bullmq')),
]

function client(what: string, methods: readonly string[], members: readonly string[], advice: string): KnownClient {
  return { what, methods, members, advice }
}

/**
 * Returns which binding fits a known client of a database or a broker: `The target is a pool of pg. Its operations …`.
 */
export function fittingBinding(target: object): string | undefined {
  const holder: unknown = typeof target === 'function' ? (Reflect.get(target, 'prototype') as unknown) : target
  if (typeof holder !== 'object' || holder === null) return undefined
  try {
    const known = KNOWN.find(
      ({ methods, members }) =>
        methods.every((name) => name in holder && typeof Reflect.get(holder, name) === 'function') &&
        members.every((name) => name in holder),
    )
    return known && `The target is ${known.what}${typeof target === 'function' ? ' (a class)' : ''}. ${known.advice}`
  } catch {
    // A getter of a prototype may throw.
    return undefined
  }
}
