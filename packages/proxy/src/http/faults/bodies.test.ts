import http from 'node:http'
import { manualClock } from '@chaos/core/testing'
import { expect, it, vi } from 'vitest'
import {
  codeOf,
  flood,
  httpInForce,
  raw,
  request,
  settled,
  startHttpScene,
  type HttpScene,
} from '../../../test/http.js'
import { connectTo } from '../../../test/tcp.js'
import { corruptBodies, cutBodies, trickleBodies } from '../index.js'

const WAIT = { timeout: 30_000, interval: 2 }
const ASK = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

/** A service that answers with ten digits, with a `content-length` or in chunks. */
function startDigits(framing: 'length' | 'chunks'): Promise<HttpScene> {
  return startHttpScene((_incoming, response) => {
    if (framing === 'chunks') response.write('01234')
    response.end(framing === 'chunks' ? '56789' : '0123456789')
  })
}

it.each([
  ['length', 4, '0123'],
  ['length', 0, ''],
  ['chunks', 5, '5\r\n01234\r\n'],
  ['chunks', 7, '5\r\n01234\r\n2\r\n56\r\n'],
] as const)('cuts an answer exactly, by %s after %i bytes, whose head says what it said', async (framing, n, left) => {
  const { proxy } = await startDigits(framing)
  for (const how of ['close', 'reset'] as const) {
    const injection = await httpInForce(cutBodies({ afterBytes: n, how }), proxy)
    const [head, body] = (await raw(proxy.port, ASK)).split('\r\n\r\n')
    expect(head).toMatch(framing === 'length' ? /Content-Length: 10/ : /Transfer-Encoding: chunked/)
    expect(body).toBe(left)
    expect(await codeOf(request(proxy.port))).toBe('ECONNRESET')
    await settled(proxy)
    expect([injection.affected, injection.account]).toMatchObject([2, { bytesOut: 2 * n, bytesHeld: 0 }])
    await injection.rollback()
  }
  expect(proxy.counters.outcomes.cut).toBe(4)
  expect(proxy.counters.downstream.bytesOut).toBe(4 * n)
})

it('resets the connection where it is told to, and else ends it in order, behind the same bytes', async () => {
  const responses: http.ServerResponse[] = []
  const { proxy } = await startHttpScene((_incoming, response) => {
    responses.push(response)
    response.write('0123')
  })
  for (const [how, event] of [
    ['close', 'end'],
    ['reset', 'ECONNRESET'],
  ] as const) {
    const injection = await httpInForce(cutBodies({ afterBytes: 4, how }), proxy)
    const { socket, events, received, closed } = await connectTo(proxy.port)
    socket.on('end', () => socket.end())
    socket.write(ASK)
    // Where a reset comes together with bytes, Node.js tells of an end.
    await vi.waitFor(() => expect(String(received())).toContain('0123'), WAIT)
    responses.at(-1)?.end('456789')
    await closed
    expect([events, String(received()).includes('4567')]).toEqual([[event, 'close'], false])
    await injection.rollback()
  }
})

it('lets a body pass that is not longer, and one whose fault has ended', async () => {
  const { proxy } = await startDigits('chunks')
  const whole = await httpInForce(cutBodies({ afterBytes: 10 }), proxy)
  expect(String((await request(proxy.port)).body)).toBe('0123456789')
  expect([whole.seen, whole.affected]).toEqual([1, 0])
  await whole.rollback()
  const limited = await httpInForce(cutBodies({ afterBytes: 1 }), proxy, { limit: 1 })
  expect(await codeOf(request(proxy.port))).toBe('ECONNRESET')
  await limited.done
  expect(String((await request(proxy.port)).body)).toBe('0123456789')
})

it('cuts an upload: the service gets so many bytes and then loses its client, which loses the service', async () => {
  const lost = vi.fn()
  const { proxy } = await startHttpScene((incoming) => {
    let received = 0
    incoming.on('data', ({ length }: Buffer) => (received += length))
    incoming.on('error', () => void lost(received))
  })
  await httpInForce(cutBodies({ afterBytes: 3, stream: 'upstream' }), proxy)
  expect(await codeOf(request(proxy.port, { method: 'POST', body: 'upload' }))).toBe('ECONNRESET')
  await vi.waitFor(() => expect(lost).toHaveBeenCalledWith(3), WAIT)
})

it('lets an answer trickle, never early, and the rest pass at once when the fault ends', async () => {
  const { proxy } = await startDigits('length')
  const clock = manualClock()
  const injection = await httpInForce(trickleBodies({ pieceBytes: 3, everyMs: 100 }), proxy, { clock })
  const received: string[] = []
  const get = (): Promise<void> =>
    new Promise((resolve, reject) => {
      http
        .get({ port: proxy.port, host: '127.0.0.1', agent: false }, (answer) =>
          answer.on('data', (bytes) => received.push(String(bytes))).on('end', resolve),
        )
        .on('error', reject)
    })
  const whole = get()
  await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(10), WAIT)
  await clock.advance(99)
  expect(injection.account).toMatchObject({ bytesOut: 0, bytesHeld: 10 })
  await clock.advance(1)
  await vi.waitFor(() => expect(received).toEqual(['012']), WAIT)
  await clock.advance(100)
  await vi.waitFor(() => expect(received).toEqual(['012', '345']), WAIT)
  expect(proxy.counters.downstream).toMatchObject({ bytesIn: 10, bytesOut: 6, bytesHeld: 4 })
  await injection.rollback()
  await whole
  expect(received.join('')).toBe('0123456789')
  expect(injection.account).toMatchObject({ bytesIn: 10, bytesOut: 10, bytesHeld: 0 })
})

it('slows the service whose answer trickles', async () => {
  const { handler, isStill } = flood()
  const { proxy } = await startHttpScene(handler)
  const injection = await httpInForce(trickleBodies({ everyMs: 1_000 }), proxy)
  const sent = http.get({ port: proxy.port, host: '127.0.0.1', agent: false }, (answer) => {
    answer.on('error', () => undefined).resume()
  })
  sent.on('error', () => undefined)
  await isStill()
  expect(proxy.counters.downstream.bytesHeld).toBeLessThan(200_000)
  sent.destroy()
  await settled(proxy)
  expect(injection.account['bytesHeld']).toBe(0)
  const { bytesIn, bytesOut, bytesDropped, bytesHeld } = proxy.counters.downstream
  expect([bytesHeld, bytesIn]).toEqual([0, bytesOut + bytesDropped])
})

it('flips bits of a body, and adds or loses no byte', async () => {
  const { proxy } = await startHttpScene()
  const injection = await httpInForce(corruptBodies({ byteRate: 1, stream: 'upstream' }), proxy)
  const sent = Buffer.alloc(100_000, 'a')
  const { body } = await request(proxy.port, { method: 'POST', body: sent })
  expect([body.length, body.filter((byte) => byte === 97).length]).toEqual([sent.length, 0])
  expect(body.every((byte) => Number.isInteger(Math.log2(byte ^ 97)))).toBe(true)
  expect(injection.account).toMatchObject({ bytesIn: 100_000, bytesOut: 100_000 })
})
