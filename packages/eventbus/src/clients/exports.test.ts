import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const SUBPATHS = {
  amqplib: () => import('./amqplib.js'),
  bullmq: () => import('./bullmq.js'),
  ioredis: () => import('./ioredis.js'),
  jetstream: () => import('./jetstream.js'),
  kafkajs: () => import('./kafkajs.js'),
  mqtt: () => import('./mqtt.js'),
  nats: () => import('./nats.js'),
  'node-redis': () => import('./node-redis.js'),
  ws: () => import('./ws.js'),
} as const

it('exports, by subpath, these names and no others', async () => {
  const exported = await Promise.all(
    Object.entries(SUBPATHS).map(async ([name, load]) => [name, Object.keys(await load()).sort()] as const),
  )
  expect(Object.fromEntries(exported)).toEqual({
    amqplib: ['amqplibChannels'],
    bullmq: ['bullQueue'],
    ioredis: ['ioredisPubSub', 'ioredisStreams'],
    jetstream: ['jetStreamBus'],
    kafkajs: ['kafkajsBus'],
    mqtt: ['mqttBus'],
    nats: ['natsBus'],
    'node-redis': ['nodeRedisPubSub', 'nodeRedisStreams'],
    ws: ['webSocketBus', 'webSocketServerBus'],
  })
})

it('publishes each client library, with types for every way to resolve them', () => {
  const { exports, typesVersions } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { readonly exports: object; readonly typesVersions: { readonly '*': object } }
  const files = readdirSync(new URL('.', import.meta.url))
    .filter((file) => file.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(file))
    .map((file) => file.slice(0, -'.ts'.length))
  expect(
    Object.keys(exports)
      .filter((path) => path !== '.' && path !== './package.json')
      .sort(),
  ).toEqual(files.map((name) => `./${name}`).sort())
  expect(Object.keys(typesVersions['*']).sort()).toEqual(files.sort())
})
