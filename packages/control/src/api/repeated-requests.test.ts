import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { manualClock } from '@chaos/core/testing'
import { ask, mounted, nextEntry, rawConnection, testChaos, TOKEN } from '../../test/support.js'
import { signedIn } from '../../test/visitor.js'
import { connect } from '../client/connect.js'
import type { Caller } from './callers.js'
import { MAX_KEYS, REMEMBER_MS, repeatedRequests } from './repeated-requests.js'
import type { Reply } from './replies.js'

const drop = { target: 'bus', fault: 'drop-events' }

async function scene() {
  const clock = manualClock(1_000_000)
  const { bus, chaos, controller } = testChaos({ clock })
  const { url, port } = await mounted(controller, { clock })
  const post = (path: string, body: unknown, key?: string) =>
    ask(`${url}${path}`, { method: 'POST', body, headers: key === undefined ? {} : { 'idempotency-key': key } })
  return { clock, bus, chaos, url, port, post }
}

describe('a request with an Idempotency-Key', () => {
  it('is done once, and answered the same way again for 10 minutes', async () => {
    const { clock, chaos, post } = await scene()
    const first = await post('/injections', drop, 'one')
    const again = await post('/injections', drop, 'one')
    expect([again.status, again.text]).toEqual([first.status, first.text])
    expect([first, again].map(({ headers }) => headers['idempotency-replayed'])).toEqual([undefined, 'true'])
    await clock.advance(REMEMBER_MS - 1)
    expect((await post('/injections', drop, 'one')).text).toBe(first.text)
    expect(await chaos.injections()).toHaveLength(1)
    await clock.advance(1)
    expect((await post('/injections', drop, 'one')).text).not.toBe(first.text)
    expect(await chaos.injections()).toHaveLength(2)
  })

  it('is told apart from one of another sender with the same key', async () => {
    const { chaos, url, post } = await scene()
    const [one, other] = [await signedIn(url), await signedIn(url)]
    await post('/injections', drop, 'one')
    for (const { csrf, call } of [one, other]) {
      const own = { 'x-chaos-csrf': csrf, origin: new URL(url).origin, 'sec-fetch-site': 'same-origin' }
      const answer = await call('POST', '/injections', { ...own, 'idempotency-key': 'one' }, drop)
      expect([answer.status, answer.headers['idempotency-replayed']]).toEqual([201, undefined])
    }
    expect(await chaos.injections()).toHaveLength(3)
  })

  it('has the same answer again when it was refused', async () => {
    const { post } = await scene()
    const first = await post('/batches', { injections: [{ ...drop, rate: 2 }] }, 'one')
    expect((await post('/batches', { injections: [{ ...drop, rate: 2 }] }, 'one')).text).toBe(first.text)
    expect(first.status).toBe(400)
  })

  it('renews once', async () => {
    const { clock, chaos, post } = await scene()
    const { id } = await chaos.inject('bus', 'drop-events', {}, { leaseMs: 1_000 })
    const path = `/injections/${encodeURIComponent(id)}/renewals`
    await post(path, { leaseMs: 5_000 }, 'one')
    await clock.advance(100)
    await post(path, { leaseMs: 5_000 }, 'one')
    expect(chaos.journal.entries.filter(({ type }) => type === 'renewed')).toHaveLength(1)
  })

  it('waits for the first while that is under way', async () => {
    const { bus, chaos, post } = await scene()
    const armed = nextEntry(chaos.controller, ({ type }) => type === 'armed')
    const first = post('/injections', { target: 'bus', fault: 'arm-slowly' }, 'one')
    await armed
    let isAnswered = false
    const second = post('/injections', { target: 'bus', fault: 'arm-slowly' }, 'one').finally(() => (isAnswered = true))
    await post('/checks', drop)
    expect(isAnswered).toBe(false)
    bus.emit('armed')
    expect((await second).text).toBe((await first).text)
    expect(await chaos.injections()).toHaveLength(1)
  })

  it.each([
    ['/injections', { ...drop, rate: 0.5 }],
    ['/batches', { injections: [drop] }],
  ])('is refused if another request had the key: %s %j', async (path, body) => {
    const { chaos, post } = await scene()
    await post('/injections', drop, 'one')
    const refused = await post(path, body, 'one')
    expect([refused.status, refused.json()]).toMatchObject([422, { error: { code: 'CHAOS_IDEMPOTENCY_KEY_REUSED' } }])
    expect(await chaos.injections()).toHaveLength(1)
  })

  it.each(['', 'x'.repeat(201), 'a b'])('is refused if the key is "%s"', async (key) => {
    const { chaos, post } = await scene()
    expect((await post('/injections', drop, key)).json()).toMatchObject({ error: { code: 'CHAOS_INVALID_REQUEST' } })
    expect(await chaos.injections()).toEqual([])
  })

  it('is done anew after its client had left, which has left nothing behind', async () => {
    const { bus, chaos, port, post } = await scene()
    const body = JSON.stringify({ target: 'bus', fault: 'arm-slowly', id: 'slow' })
    const { socket } = await rawConnection(port)
    const armed = nextEntry(chaos.controller, ({ type }) => type === 'armed')
    socket.write(
      `POST /chaos/injections HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nIdempotency-Key: one\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await armed
    const ended = nextEntry(chaos.controller, ({ type }) => type === 'ended')
    socket.destroy()
    await ended
    const anew = nextEntry(chaos.controller, ({ type }) => type === 'armed')
    const again = post('/injections', body, 'one')
    await anew
    bus.emit('armed')
    expect((await again).json()).toMatchObject({ id: 'slow', status: 'active' })
  })
})

/** A client that a test lets leave. */
function caller(): Caller & { leave(): void } {
  const listeners = new Set<() => void>()
  let hasLeft = false
  return {
    get hasLeft() {
      return hasLeft
    },
    onLeft(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    leave() {
      hasLeft = true
      listeners.forEach((listener) => listener())
    },
  }
}
const reply = (text: string): Reply => ({ status: 200, type: 'x', text, effect: {} })
const as = (key: string) => ({ key, fingerprint: 'f' })

describe('the store of answers', () => {
  it('goes on with a request as long as one of its clients is there', async () => {
    const store = repeatedRequests(manualClock())
    const [first, second] = [caller(), caller()]
    let finish: (text: string) => void = () => undefined
    const seen: boolean[] = []
    const answering = store.answer(as('k'), first, async (callers) => {
      callers.onLeft(() => seen.push(callers.hasLeft))
      return reply(await new Promise<string>((resolve) => (finish = resolve)))
    })
    const again = store.answer(as('k'), second, () => Promise.reject(new Error('not again')))
    first.leave()
    finish('done')
    expect((await again).reply.text).toBe('done')
    await answering
    expect(seen).toEqual([])
  })

  it('forgets the oldest answers first, and refuses more when all keys are under way', async () => {
    const store = repeatedRequests(manualClock())
    for (let n = 0; n <= MAX_KEYS; n += 1)
      await store.answer(as(`k${n}`), caller(), () => Promise.resolve(reply(`${n}`)))
    const again = async (key: string) =>
      (await store.answer(as(key), caller(), () => Promise.resolve(reply('new')))).reply.text
    expect([await again(`k${MAX_KEYS}`), await again('k0')]).toEqual([`${MAX_KEYS}`, 'new'])
    const busy = repeatedRequests(manualClock())
    const forever = new Promise<Reply>(() => undefined)
    for (let n = 0; n < MAX_KEYS; n += 1) void busy.answer(as(`k${n}`), caller(), () => forever)
    await expect(busy.answer(as('one more'), caller(), () => forever)).rejects.toMatchObject({
      code: 'CHAOS_TOO_MANY_REQUESTS',
    })
  })

  it('keeps at most 8 MiB of answers', async () => {
    const store = repeatedRequests(manualClock())
    const large = 'x'.repeat(1_048_576)
    for (let n = 0; n < 10; n += 1) await store.answer(as(`k${n}`), caller(), () => Promise.resolve(reply(large)))
    const again = async (key: string) =>
      (await store.answer(as(key), caller(), () => Promise.resolve(reply('new')))).isRepeated
    expect([await again('k0'), await again('k9')]).toEqual([false, true])
  })
})

/** A proxy in front of a server that cuts the first answer to each request for a path. */
async function cuttingProxy(to: number, what: RegExp): Promise<{ readonly port: number; readonly cut: () => number }> {
  const sockets = new Set<Socket>()
  let cuts = 0
  const proxy = createServer((client) => {
    sockets.add(client)
    let isCut = false
    const upstream = connectSocket(to, '127.0.0.1')
    sockets.add(upstream)
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.on('data', (chunk: Buffer) => {
      isCut ||= cuts === 0 && what.test(chunk.toString('latin1'))
      upstream.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      if (!isCut) {
        client.write(chunk)
        return
      }
      cuts += 1
      client.resetAndDestroy()
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => proxy.close(resolve))
  })
  return { port: (proxy.address() as AddressInfo).port, cut: () => cuts }
}

describe('a client whose answer is lost on the way', () => {
  it('sends the request once more, and injects once', async () => {
    const { chaos, port } = await scene()
    const proxy = await cuttingProxy(port, /^POST [^ ]*\/injections /)
    const client = await connect({ url: `http://127.0.0.1:${proxy.port}/chaos`, token: TOKEN })
    onTestFinished(() => client.close())
    const state = await client.inject('bus', 'drop-events')
    expect(proxy.cut()).toBe(1)
    expect(await chaos.injections()).toMatchObject([{ id: state.id, status: 'active' }])
  })

  it('sends no request again that has no key', async () => {
    const { port } = await scene()
    const proxy = await cuttingProxy(port, /^GET [^ ]*\/targets /)
    const client = await connect({ url: `http://127.0.0.1:${proxy.port}/chaos`, token: TOKEN })
    onTestFinished(() => client.close())
    await expect(client.targets()).rejects.toMatchObject({ code: 'CHAOS_ENDPOINT_UNREACHABLE' })
    expect(proxy.cut()).toBe(1)
    await vi.waitFor(async () => expect(await client.targets()).toHaveLength(1))
  })
})
