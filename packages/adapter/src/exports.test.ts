import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import config from '../tsup.config.js'

const ENTRIES = {
  '.': () => import('./calls/index.js'),
  './dns': () => import('./dns/index.js'),
  './fs': () => import('./files/index.js'),
  './http': () => import('./http/index.js'),
  './ioredis': () => import('./drivers/ioredis/index.js'),
  './level': () => import('./drivers/level/index.js'),
  './mongodb': () => import('./drivers/mongodb/index.js'),
  './mysql2': () => import('./drivers/mysql2/index.js'),
  './net': () => import('./net/index.js'),
  './node-redis': () => import('./drivers/node-redis/index.js'),
  './pg': () => import('./drivers/pg/index.js'),
  './register': () => import('./register.js'),
  './tls': () => import('./tls/index.js'),
} as const

it('exports, by entry, these names and no others', async () => {
  const exported = await Promise.all(
    Object.entries(ENTRIES).map(async ([name, load]) => [name, Object.keys(await load()).sort()] as const),
  )
  expect(Object.fromEntries(exported)).toEqual({
    '.': [
      'breakable',
      'corruptResults',
      'cutResults',
      'delayCalls',
      'duplicateWrites',
      'errorPresetNames',
      'exhaustPool',
      'failAfterCall',
      'flapCalls',
      'hangCalls',
      'limitRate',
      'loseWrites',
      'refuseCalls',
      'serveStaleReads',
      'timeOutCalls',
    ],
    './dns': ['failLookups'],
    './fs': ['delayFileOperations', 'failFileOperations', 'hangFileOperations'],
    './http': [
      'answerRequests',
      'corruptResponses',
      'cutResponses',
      'delayRequests',
      'hangRequests',
      'hangResponses',
      'slowResponses',
    ],
    './ioredis': ['bindIoredis'],
    './level': ['bindLevel'],
    './mongodb': ['bindMongodb'],
    './mysql2': ['bindMysql2'],
    './net': [
      'cutConnections',
      'cutResponses',
      'delayConnections',
      'hangConnections',
      'refuseConnections',
      'slowResponses',
    ],
    './node-redis': ['bindNodeRedis'],
    './pg': ['bindPg'],
    './register': ['targets'],
    './tls': ['failHandshakes'],
  })
})

it('publishes each entry', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly exports: object
  }
  expect(Object.keys(exports).filter((path) => path !== './package.json')).toEqual(Object.keys(ENTRIES))
  const built = typeof config === 'object' && 'entry' in config ? Object.keys(config.entry ?? {}) : []
  expect(built.map((name) => (name === 'index' ? '.' : `./${name}`))).toEqual(Object.keys(ENTRIES))
})
