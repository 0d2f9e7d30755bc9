import { createProxy } from '@chaos/proxy'
import { expect, it, onTestFinished, vi } from 'vitest'
import { prepareChaos } from '../src/chaos.js'
import { configFrom, type Config } from '../src/config.js'
import { SECRET } from './start.js'

const REDIS = 'redis://ada:secret@127.0.0.1:1/2'

const config = (redisUrl: string | undefined, environment = 'development'): Config => ({
  ...configFrom({ JWT_SECRET: SECRET, FLAPPY_WINDOWS: 'demo' }),
  environment,
  redisUrl,
})

it('leads to the Redis through a proxy that is closed with it, and keeps user, password and database', async () => {
  vi.stubEnv('CHAOS', 'on')
  const chaos = await prepareChaos(config(REDIS))
  const { host, href } = new URL(chaos.config.redisUrl ?? '')
  expect(href).toBe(`redis://ada:secret@${host}/2`)
  expect(host).toMatch(/^127\.0\.0\.1:\d{2,5}$/)
  await expect(createProxy({ upstream: '127.0.0.1:1', listen: host })).rejects.toThrow('EADDRINUSE')
  await chaos.close()
  const next = await createProxy({ upstream: '127.0.0.1:1', listen: host })
  onTestFinished(() => next.close())
})

it.each([
  ['in production', 'on', REDIS, 'production'],
  ['while chaos is off', 'off', REDIS, 'development'],
  ['without a Redis', 'on', undefined, 'development'],
  // TLS checks the name of the server.
  ['where the way to Redis is encrypted', 'on', 'rediss://redis.test', 'development'],
])('changes nothing %s', async (_title, chaosSwitch, redisUrl, environment) => {
  vi.stubEnv('CHAOS', chaosSwitch)
  const given = config(redisUrl, environment)
  const chaos = await prepareChaos(given)
  expect(chaos.config).toBe(given)
  await chaos.close()
})
