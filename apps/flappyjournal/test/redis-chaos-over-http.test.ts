import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { delayCalls, refuseCalls } from '@chaos/adapter'
import { inject } from '@chaos/core'
import { hasPrograms, ownRedis } from '@chaos/test-servers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseExposition } from '@chaos/mini-prometheus'
import type { App } from '../src/app.js'
import { RedisAdapter } from '../src/storage/redis-adapter.js'
import { ask, start } from './start.js'

/** Who is on call: hears of alerts as an Alertmanager's webhook does. */
async function onCall(): Promise<{ readonly url: string; readonly heard: string[] }> {
  const heard: string[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { alerts } = body as { alerts: { status: string; labels: { alertname: string } }[] }
      heard.push(...alerts.map(({ status, labels }) => `${labels.alertname} ${status}`))
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}

/** Alerts whose last word is that they fire. */
function stillFiring(heard: readonly string[]): string[] {
  return heard.filter(
    (alert, index) => alert.endsWith(' firing') && !heard.includes(alert.replace(/firing$/, 'resolved'), index),
  )
}

/** People who keep a journal over HTTP, and remember what they were told is written. */
class Journalists {
  readonly acknowledged = new Map<string, string>()
  /** How often each status came. */
  readonly statuses = new Map<number, number>()
  readonly #app: App
  #asked = 0

  constructor(app: App) {
    this.#app = app
  }

  /** Writes so many entries, all at once, and reads each again as soon as it is acknowledged. */
  async write(count: number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const title = `entry ${this.#asked}`
        const created = await this.#ask('POST', '/api/journal', { title, content: 'c' })
        if (created.status !== 201) return
        const { id } = created.body as { id: string }
        this.acknowledged.set(id, title)
        expect(await this.#ask('GET', `/api/journal/${id}`)).toMatchObject({ status: 200, body: { title } })
      }),
    )
  }

  /** No one asks more often than the journal lets them. */
  async #ask(method: string, path: string, body?: unknown): ReturnType<typeof ask> {
    const answer = await ask(this.#app, method, path, body, `user ${(this.#asked += 1)}`)
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1)
    return answer
  }
}

describe.runIf(hasPrograms('redis-server'))(
  'redisChaos over HTTP, with a Redis of its own (skipped without redis-server on PATH: Debian package redis-server)',
  () => {
    it('frozen, then 500 ms late with 2 % failures: the API goes on from memory, the alerts fire and resolve, nothing acknowledged is lost, it heals', async () => {
      const [redis, pager] = [await ownRedis(), await onCall()]
      onTestFinished(() => redis.stop())
      const app = await start({ redisUrl: `redis://127.0.0.1:${redis.port}`, alertWebhookUrl: pager.url })
      const journalists = new Journalists(app)
      const breaker = async (): Promise<number | undefined> =>
        parseExposition(await (await fetch(`${app.url}/metrics`)).text()).find(({ name }) => name === 'spiral_cb_state')
          ?.value
      await journalists.write(20)
      expect([app.storageBackend.backend, await breaker(), journalists.acknowledged.size]).toEqual(['redis', 0, 20])

      redis.process.kill('SIGSTOP')
      await journalists.write(20)
      expect(await breaker(), 'the breaker is open, or tried again').toBeGreaterThan(0)
      await vi.waitFor(async () => {
        await journalists.write(5)
        expect(pager.heard).toContain('CircuitBreakerOpen firing')
      })
      const [early] = journalists.acknowledged.keys()
      expect((await ask(app, 'GET', `/api/journal/${early ?? ''}`)).status, 'what Redis alone had').toBe(200)
      expect([...journalists.statuses.keys()].sort(), 'no caller heard of it').toEqual([200, 201])
      redis.process.kill('SIGCONT')
      await vi.waitFor(() => expect(pager.heard).toContain('CircuitBreakerOpen resolved'))
      expect(await breaker()).toBe(0)

      const late = await inject(delayCalls({ methods: ['get', 'set'], delayMs: 500 }), app.storageBackend)
      const failing = await inject(refuseCalls({ methods: ['get', 'set'], error: 'ECONNRESET' }), app.storageBackend, {
        rate: 0.02,
        seed: 1,
      })
      await vi.waitFor(async () => {
        await journalists.write(40)
        expect(pager.heard).toContain('HighLatency firing')
        expect([late.affected > 0, failing.affected > 0]).toEqual([true, true])
      })
      await Promise.all([late.rollback(), failing.rollback()])
      await vi.waitFor(() => expect(stillFiring(pager.heard)).toEqual([]))

      await journalists.write(20)
      expect(await breaker()).toBe(0)
      const witness = new RedisAdapter(`redis://127.0.0.1:${redis.port}`)
      await witness.init()
      onTestFinished(() => witness.close())
      for (const [id, title] of journalists.acknowledged) {
        expect(await witness.get(`mem:${id}`), id).toMatchObject({ title })
      }
    })
  },
)
