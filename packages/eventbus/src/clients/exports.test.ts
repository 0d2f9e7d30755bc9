import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const SUBPATHS = {
  amqplib: () => import('./amqplib/index.js'),
  bullmq: () => import('./bullmq/index.js'),
  ioredis: () => import('./ioredis/index.js'),
  jetstream: () => import('./jetstream/index.js'),
  kafkajs: () => import('./kafkajs/index.js'),
  mqtt: () => import('./mqtt/index.js'),
  nats: () => import('./nats/index.js'),
  'node-redis': () => import('./node-redis/index.js'),
  ws: () => import('./ws/index.js'),
} as const

it('exports, by subpath, these names and no others', async () => {
  const exported = await Promise.all(
    Object.entries(SUBPATHS).map(async ([name, load]) => [name, Object.keys(await load()).sort()] as const),
  )
  expect(Object.fromEntries(exported)).toEqual({
    amqplib: ['bindAmqplib'],
    bullmq: ['bindBullmq'],
    ioredis: ['bindIoredisPubSub', 'bindIoredisStreams'],
    jetstream: ['bindJetStream'],
    kafkajs: ['bindKafkajs'],
    mqtt: ['bindMqtt'],
    nats: ['bindNats'],
    'node-redis': ['bindNodeRedisPubSub', 'bindNodeRedisStreams'],
    ws: ['bindWebSocket', 'bindWebSocketServer'],
  })
})

it('publishes each client library, with types for every way to resolve them', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly exports: object
  }
  // A folder without an entry holds what two libraries share.
  const published = readdirSync(new URL('.', import.meta.url)).filter((name) =>
    existsSync(new URL(`./${name}/index.ts`, import.meta.url)),
  )
  expect(
    Object.keys(exports)
      .filter((path) => !['.', './register', './package.json'].includes(path))
      .sort(),
  ).toEqual(published.map((name) => `./${name}`).sort())
})
