import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { connect } from 'node:net'
import { refuseCalls } from '@chaos/adapter'
import { withFault } from '@chaos/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { ask, start, token } from './start.js'

describe('the journal', () => {
  it('creates, reads, lists, replaces and deletes entries', async () => {
    const app = await start()
    const created = await ask(app, 'POST', '/api/journal', { title: 'One', content: 'First.', tags: ['a'] })
    expect(created).toMatchObject({
      status: 201,
      body: { title: 'One', content: 'First.', tags: ['a'], mood: 'neutral' },
    })
    const { id } = created.body as { id: string }
    expect(await ask(app, 'GET', `/api/journal/${id}`)).toMatchObject({ status: 200, body: { id, title: 'One' } })
    expect(
      await ask(app, 'PUT', `/api/journal/${id}`, { title: 'Two', content: 'Changed.', mood: 'bright' }),
    ).toMatchObject({ status: 200, body: { id, title: 'Two', mood: 'bright' } })
    expect(await ask(app, 'GET', '/api/journal')).toMatchObject({ status: 200, body: [{ id, title: 'Two' }] })
    expect((await ask(app, 'DELETE', `/api/journal/${id}`)).status).toBe(204)
    expect((await ask(app, 'GET', `/api/journal/${id}`)).status).toBe(404)
  })

  it('stores an entry once that a user sends again with the same Idempotency-Key', async () => {
    const app = await start()
    const send = async (user: string, headers: Record<string, string>): Promise<{ status: number; id: unknown }> => {
      const { status, body } = await ask(app, 'POST', '/api/journal', { title: 't', content: 'c' }, user, headers)
      return { status, id: (body as { id?: unknown }).id }
    }
    const first = await send('ada', { 'idempotency-key': 'one' })
    expect(first.status).toBe(201)
    expect(await send('ada', { 'idempotency-key': 'one' })).toEqual(first)
    const others = [
      await send('ada', { 'idempotency-key': 'two' }),
      await send('grace', { 'idempotency-key': 'one' }),
      await send('ada', {}),
      await send('ada', {}),
    ]
    expect(new Set([first, ...others].map(({ id }) => id)).size).toBe(5)
    expect((await ask(app, 'GET', '/api/journal')).body).toHaveLength(5)
    for (const key of ['', 'k'.repeat(201)]) expect((await send('ada', { 'idempotency-key': key })).status).toBe(400)
  })

  it('answers a repeated request with the entry as it is now', async () => {
    const app = await start()
    const write = (content: string) =>
      ask(app, 'POST', '/api/journal', { title: 't', content }, 'ada', { 'idempotency-key': 'one' })
    const { id } = (await write('first')).body as { id: string }
    await ask(app, 'PUT', `/api/journal/${id}`, { title: 't', content: 'changed' })
    expect(await write('first')).toMatchObject({ status: 201, body: { id, content: 'changed' } })
  })

  it.each([
    [{ content: 'No title.' }, '`title`'],
    [{ title: 'No content.' }, '`content`'],
    [{ title: 't', content: 'c', tags: 'a' }, '`tags`'],
    [[], 'JSON object'],
  ])('answers 400 to %o', async (body, words) => {
    const app = await start()
    const answer = await ask(app, 'POST', '/api/journal', body)
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.body)).toContain(words)
  })

  it('answers 413 to a body that is too long', async () => {
    const app = await start()
    expect((await ask(app, 'POST', '/api/journal', { title: 't', content: 'c'.repeat(1_000_000) })).status).toBe(413)
    expect((await ask(app, 'GET', '/api/journal')).body).toEqual([])
  })

  it.each(['//', 'http://['])('goes on after a request for %o, which is no address', async (path) => {
    const app = await start()
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write(`GET ${path} HTTP/1.1\r\nhost: journal\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /)
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200)
  })

  it('wants a valid token on everything but health, metrics and alerts', async () => {
    const app = await start()
    for (const headers of [
      {},
      { authorization: 'Bearer nonsense' },
      { authorization: `Bearer ${await token('ada', 'another secret of at least thirty-two')}` },
    ]) {
      expect((await fetch(`${app.url}/api/journal`, { headers })).status).toBe(401)
    }
    for (const path of ['/healthz', '/readyz', '/metrics', '/alerts'])
      expect((await fetch(app.url + path)).status, path).not.toBe(401)
    expect((await fetch(`${app.url}/nowhere`)).status).toBe(404)
    expect((await fetch(`${app.url}/chaos/info`)).status).toBe(404)
  })

  it('is not ready, and not healthy, while storage does not work, and says so', async () => {
    const app = await start({ storageFallback: false })
    await vi.waitFor(async () => expect((await fetch(`${app.url}/healthz`)).status).toBe(200))
    await withFault(refuseCalls(), app.storageBackend, async () => {
      const ready = await fetch(`${app.url}/readyz`)
      expect(ready.status).toBe(503)
      expect(await ready.json()).toEqual({ healthy: false, parts: { storage: false }, failing: ['storage'] })
      const health = await fetch(`${app.url}/healthz`)
      expect(health.status).toBe(503)
      expect(await health.json()).toMatchObject({ failing: ['storage'], parts: { loop: true, eventBus: true } })
      expect((await ask(app, 'POST', '/api/journal', { title: 't', content: 'c' })).status).toBe(503)
    })
    await vi.waitFor(async () => expect((await fetch(`${app.url}/readyz`)).status).toBe(200))
  })

  it('replaces, deletes and creates while the breaker is open, and the backend has it all afterwards', async () => {
    const app = await start()
    const made = await Promise.all(
      ['kept', 'changed', 'deleted'].map(
        async (title) => (await ask(app, 'POST', '/api/journal', { title, content: 'c' })).body as { id: string },
      ),
    )
    const [kept, changed, deleted] = made.map(({ id }) => id) as [string, string, string]
    let added = ''
    await withFault(refuseCalls(), app.storageBackend, async () => {
      // The first calls fail; they are what opens the breaker.
      await vi.waitFor(async () => expect((await ask(app, 'GET', `/api/journal/${kept}`)).status).toBe(200))
      expect((await ask(app, 'PUT', `/api/journal/${changed}`, { title: 'new', content: 'c' })).status).toBe(200)
      expect((await ask(app, 'DELETE', `/api/journal/${deleted}`)).status).toBe(204)
      const created = await ask(app, 'POST', '/api/journal', { title: 'added', content: 'c' })
      expect(created.status).toBe(201)
      added = (created.body as { id: string }).id
      expect((await ask(app, 'GET', `/api/journal/${changed}`)).body).toMatchObject({ title: 'new' })
      expect((await ask(app, 'GET', `/api/journal/${deleted}`)).status).toBe(404)
    })
    const stored = async (id: string): Promise<string | undefined> =>
      ((await app.storageBackend.get(`mem:${id}`)) as { title: string } | undefined)?.title
    await vi.waitFor(async () =>
      expect(await Promise.all([kept, changed, deleted, added].map(stored))).toEqual([
        'kept',
        'new',
        undefined,
        'added',
      ]),
    )
  })

  it('answers 429 with Retry-After after 100 requests of a user in 10 s, and goes on for others', async () => {
    const app = await start()
    const statuses = await Promise.all(Array.from({ length: 101 }, async () => ask(app, 'GET', '/api/journal/none')))
    const refused = statuses.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(1)
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await ask(app, 'GET', '/api/journal/none', undefined, 'grace')).status).toBe(404)
  })

  it('pushes changes to authorised WebSocket clients, and refuses others', async () => {
    const app = await start()
    const address = `${app.url.replace('http', 'ws')}/ws`
    const stranger = new WebSocket(address)
    const [error] = (await once(stranger, 'error')) as [Error]
    expect(error.message).toContain('401')
    const client = new WebSocket(address, { headers: { authorization: `Bearer ${await token()}` } })
    onTestFinished(() => client.terminate())
    await once(client, 'open')
    const changed = new Promise((resolve) => {
      client.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { event: string }
        if (message.event === 'journal:changed') resolve(message)
      })
    })
    const { body } = await ask(app, 'POST', '/api/journal', { title: 't', content: 'c' })
    expect(await changed).toMatchObject({ payload: { method: 'POST', id: (body as { id: string }).id } })
  })

  it('lists many entries while every fifth storage call fails, and does not take that for a backend that is down', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flappy-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const app = await start({ levelPath: folder })
    await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        ask(app, 'POST', '/api/journal', { title: `${n}`, content: 'c' }, `user-${n % 6}`),
      ),
    )
    await withFault(refuseCalls({ error: 'ECONNRESET' }), app.storageBackend, { every: 5 }, async () => {
      const { status, body } = await ask(app, 'GET', '/api/journal')
      expect([status, (body as unknown[]).length]).toEqual([200, 300])
    })
    expect(await app.registry.getSingleMetricAsString('spiral_cb_open_total')).toContain('{backend="level"} 0')
  })

  it('leaves no thread and no listener when it closes', async () => {
    const app = await start()
    const [worker] = app.workers()
    await app.close()
    expect(worker === undefined || worker.threadId === -1).toBe(true)
    expect(app.workers()).toEqual([])
    expect(app.bus.eventNames()).toEqual([])
    await expect(fetch(app.url)).rejects.toThrow()
  })
})
