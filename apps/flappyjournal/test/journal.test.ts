import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import WebSocket from 'ws'
import { ask, start, token } from './start.js'

describe('the journal', () => {
  it('creates, reads, lists, replaces and deletes entries', async () => {
    const app = await start()
    const created = await ask(app, 'POST', '/api/journal', { title: 'One', content: 'First.', tags: ['a'] })
    expect(created).toMatchObject({ status: 201, body: { title: 'One', content: 'First.', tags: ['a'], mood: 'neutral' } })
    const { id } = created.body as { id: string }
    expect(await ask(app, 'GET', `/api/journal/${id}`)).toMatchObject({ status: 200, body: { id, title: 'One' } })
    expect(await ask(app, 'PUT', `/api/journal/${id}`, { title: 'Two', content: 'Changed.', mood: 'bright' })).toMatchObject({ status: 200, body: { id, title: 'Two', mood: 'bright' } })
    expect(await ask(app, 'GET', '/api/journal')).toMatchObject({ status: 200, body: [{ id, title: 'Two' }] })
    expect((await ask(app, 'DELETE', `/api/journal/${id}`)).status).toBe(204)
    expect((await ask(app, 'GET', `/api/journal/${id}`)).status).toBe(404)
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
    for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: `Bearer ${await token('ada', 'another secret of at least thirty-two')}` }]) {
      expect((await fetch(`${app.url}/api/journal`, { headers })).status).toBe(401)
    }
    for (const path of ['/healthz', '/readyz', '/metrics', '/alerts']) expect((await fetch(app.url + path)).status, path).not.toBe(401)
    expect((await fetch(`${app.url}/nowhere`)).status).toBe(404)
    expect((await fetch(`${app.url}/chaos/info`)).status).toBe(404)
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
