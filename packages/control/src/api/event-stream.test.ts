import { connect as connectSocket, type Socket } from 'node:net'
import { on, once } from 'node:events'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { ChaosController, Clock, JournalEntry } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { ask, isEnd, mounted, nextEntry, testChaos, TOKEN } from '../../test/support.js'
import { HEARTBEAT_MS, MAX_STREAMS } from './event-stream.js'

interface Message {
  readonly type: 'hello' | 'entry' | 'app-event' | 'dropped'
  readonly connection?: string
  readonly hits?: number
  readonly entry?: JournalEntry
}

/** A WebSocket and what it was sent. */
async function streamed(url: string, options: WebSocket.ClientOptions = {}) {
  const socket = new WebSocket(`${url.replace('http:', 'ws:')}/events`, {
    headers: { authorization: `Bearer ${TOKEN}` },
    ...options,
  })
  onTestFinished(() => socket.terminate())
  const messages: Message[] = []
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message))
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await once(socket, 'open')
  socket.on('error', () => undefined)
  await vi.waitFor(() => expect(messages[0]).toMatchObject({ type: 'hello' }))
  return {
    socket,
    messages,
    closed,
    connection: messages[0]?.connection ?? '',
    types: () => messages.map(({ entry, type }) => entry?.type ?? type),
  }
}

/** A client that opens a stream and then reads no more. */
async function deaf(port: number): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  socket.write(
    `GET /chaos/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  )
  await once(socket, 'data')
  socket.pause()
  return socket
}

/** A controller whose journal a test writes, and that says whether it is followed. */
function scripted() {
  const { controller } = testChaos()
  const listeners = new Set<(entry: JournalEntry) => void>()
  const written: ChaosController = {
    ...controller,
    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return {
    controller: written,
    listeners,
    write: (entry: JournalEntry) => listeners.forEach((listener) => listener(entry)),
  }
}

const hit = (call: number, operation = 'tick'): JournalEntry => ({ type: 'hit', at: 0, id: 'one', operation, call })
const warning = (message: string): JournalEntry => ({ type: 'warning', at: 0, id: 'one', message })

describe('the event stream', () => {
  it('says hello, then everything that happens from then on', async () => {
    const { controller, bus, chaos } = testChaos()
    const { url } = await mounted(controller)
    await chaos.inject('bus', 'ring', { times: 1 })
    const stream = await streamed(url)
    expect(stream.messages[0]).toMatchObject({ type: 'hello', info: { environment: 'test', seed: '1' } })
    expect(stream.connection).toMatch(/^[\w-]{32}$/)
    const injection = await chaos.inject('bus', 'drop-events', {}, { only: 'tick' })
    bus.emit('tick', 'x')
    await injection.rollback()
    await vi.waitFor(() => expect(stream.types()).toEqual(['hello', 'armed', 'landed', 'hit', 'ended']))
    expect(stream.messages.at(-1)).toMatchObject({
      entry: { injection: { id: injection.id, affected: 1, outcome: 'rolled-back' } },
    })
  })

  it('sends on although a test runner fakes timers, those of node:timers included', async () => {
    const { controller, bus, chaos } = testChaos()
    const { url } = await mounted(controller)
    const stream = await streamed(url)
    const fakes = [timers, globalThis].map((owner) =>
      vi.spyOn(owner, 'setImmediate').mockImplementation(() => undefined as never),
    )
    syncBuiltinESMExports()
    onTestFinished(() => {
      for (const fake of fakes) fake.mockRestore()
      syncBuiltinESMExports()
    })
    await chaos.inject('bus', 'drop-events')
    bus.emit('tick')
    await vi.waitFor(() => expect(stream.types()).toEqual(['hello', 'armed', 'landed', 'hit']))
  })

  it('gives every stream an id of its own, that no other knows', async () => {
    const { url } = await mounted(testChaos().controller)
    const streams = await Promise.all([streamed(url), streamed(url), streamed(url)])
    expect(new Set(streams.map(({ connection }) => connection)).size).toBe(3)
  })

  it('has sent what led to an answer before the answer', async () => {
    const { controller } = testChaos()
    const { url } = await mounted(controller)
    const stream = await streamed(url)
    for (let round = 1; round <= 20; round += 1) {
      await ask(`${url}/injections`, { method: 'POST', body: { target: 'bus', fault: 'ring', options: { times: 1 } } })
      const pong = once(stream.socket, 'pong')
      stream.socket.ping()
      await pong
      expect(stream.types().filter((type) => type === 'ended')).toHaveLength(round)
    }
  })

  it('follows the controller only while someone listens', async () => {
    const { controller, listeners } = scripted()
    const { url } = await mounted(controller)
    expect(listeners.size).toBe(0)
    const streams = await Promise.all([streamed(url), streamed(url)])
    expect(listeners.size).toBe(1)
    for (const { socket } of streams) socket.close()
    await vi.waitFor(() => expect(listeners.size).toBe(0))
  })

  it('refuses an event that cannot be sent, and keeps none for later clients', async () => {
    const { url, handler } = await mounted(testChaos().controller)
    handler.notify('alert', { early: true })
    for (const [topic, data] of [
      ['', {}],
      ['a b', {}],
      ['alert', { at: new Date() }],
      ['alert', { text: 'x'.repeat(70_000) }],
    ] as const) {
      expect(() => handler.notify(topic, data)).toThrow(expect.objectContaining({ code: 'CHAOS_INVALID_OPTION' }))
    }
    const stream = await streamed(url)
    handler.notify('alert', { early: false })
    await vi.waitFor(() => expect(stream.types()).toEqual(['hello', 'app-event']))
    expect(stream.messages.at(-1)).toMatchObject({ event: { topic: 'alert', data: { early: false } } })
  })

  it('accepts no messages: a client that sends one is disconnected', async () => {
    const { url } = await mounted(testChaos().controller)
    const small = await streamed(url)
    small.socket.send('hello?')
    expect(await small.closed).toBe(1008)
    const large = await streamed(url)
    large.socket.send('x'.repeat(2_000))
    expect(await large.closed).toBe(1009)
  })

  it('opens only so many streams', async () => {
    const { url } = await mounted(testChaos().controller, { maxRequestsPerSecond: 1_000 })
    const streams = await Promise.all(Array.from({ length: MAX_STREAMS }, () => streamed(url)))
    await expect(streamed(url)).rejects.toThrow('Unexpected server response: 429')
    streams[0]?.socket.close()
    await streams[0]?.closed
    await vi.waitFor(async () => expect((await streamed(url)).connection).not.toBe(''))
  })
})

describe('under back-pressure', () => {
  it('drops hits beyond so many in one turn, says how many, and loses nothing else', async () => {
    const { controller, write } = scripted()
    const { url } = await mounted(controller)
    const stream = await streamed(url)
    for (let call = 1; call <= 5_000; call += 1) {
      write(hit(call))
      if (call % 1_000 === 0) write(warning(`after ${call}`))
    }
    await vi.waitFor(() => expect(stream.types().filter((type) => type === 'warning')).toHaveLength(5))
    const sent = stream.types().filter((type) => type === 'hit').length
    expect(sent + (stream.messages.find(({ type }) => type === 'dropped')?.hits ?? 0)).toBe(5_000)
  })

  it('drops hits for a client that reads too slowly, and says how many when it reads again', async () => {
    const { controller, write } = scripted()
    const { url } = await mounted(controller)
    const stream = await streamed(url)
    stream.socket.pause()
    const operation = 'x'.repeat(20_000)
    const total = 2_000
    for (let call = 0; call < total; call += 1) {
      write(hit(call, operation))
      if (call % 500 === 499) await new Promise((resolve) => setImmediate(resolve))
    }
    stream.socket.resume()
    await vi.waitFor(() => {
      write(warning('still here?'))
      expect(stream.types()).toContain('dropped')
    })
    const sent = stream.types().filter((type) => type === 'hit').length
    const dropped = stream.messages.reduce((sum, { hits = 0 }) => sum + hits, 0)
    expect(dropped).toBeGreaterThan(0)
    expect(sent + dropped).toBe(total)
  })

  it('disconnects a client that does not read at all; others get everything', async () => {
    const { controller, write } = scripted()
    const { url, port } = await mounted(controller)
    const socket = await deaf(port)
    const stream = await streamed(url)
    const gone = once(socket, 'close')
    const big = 'x'.repeat(100_000)
    let turns = 0
    // Life-cycle entries fill the buffer that hits may not fill.
    for (let open = true; open; turns += 1) {
      write(hit(turns))
      write(warning(big))
      await vi.waitFor(() => expect(stream.types().filter((type) => type === 'warning')).toHaveLength(turns + 1), {
        interval: 1,
      })
      if (turns === 200) socket.resume()
      if (turns > 200)
        open =
          (await Promise.race([gone.then(() => 'gone'), new Promise((resolve) => setImmediate(resolve, 'open'))])) ===
          'open'
    }
    expect(stream.types().filter((type) => type === 'hit')).toHaveLength(turns)
  })

  it('disconnects a client that no longer answers, and keeps one that does', async () => {
    const clock = manualClock()
    const { controller, chaos } = testChaos()
    const { url, port } = await mounted(controller, { clock })
    const socket = await deaf(port)
    const stream = await streamed(url)
    const asked = once(stream.socket, 'ping')
    await clock.advance(HEARTBEAT_MS)
    await asked
    // Once this is answered, so is what the server asked before.
    const pong = once(stream.socket, 'pong')
    stream.socket.ping()
    await pong
    const closed = once(socket.resume(), 'close')
    await clock.advance(HEARTBEAT_MS)
    await closed
    const injection = await chaos.inject('bus', 'ring', { times: 1 })
    await vi.waitFor(() => expect(stream.types()).toEqual(['hello', 'armed', 'landed', 'ended']))
    expect(injection.status).toBe('ended')
  })
})

it('keeps a client whose answer came while the event loop was blocked', async () => {
  const beats: (() => void)[] = []
  const clock: Clock = { now: () => 0, after: (_delayMs, work) => (beats.push(work), () => undefined) }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const { controller, chaos } = testChaos()
  const { url } = await mounted(controller, { clock })
  // A client in a thread of its own answers while this one stands still, and says so where this one can see it.
  const shared = new Int32Array(new SharedArrayBuffer(4))
  const client = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads')
     const socket = new (require(workerData.ws))(workerData.url, { headers: { authorization: workerData.authorization } })
     socket.on('ping', () => { Atomics.add(workerData.shared, 0, 1); Atomics.notify(workerData.shared, 0) })
     socket.on('message', (data) => parentPort.postMessage(JSON.parse(data).entry?.type ?? 'hello'))
     socket.on('close', () => parentPort.postMessage('closed'))`,
    {
      eval: true,
      workerData: {
        ws: createRequire(import.meta.url).resolve('ws'),
        url: `${url.replace('http:', 'ws:')}/events`,
        authorization: `Bearer ${TOKEN}`,
        shared,
      },
    },
  )
  onTestFinished(() => void client.terminate())
  const said = on(client, 'message')
  const next = async (): Promise<unknown> => ((await said.next()).value as readonly unknown[])[0]
  expect(await next()).toBe('hello')
  beats.shift()?.()
  await turn()
  expect(Atomics.wait(shared, 0, 0, 20_000)).not.toBe('timed-out')
  beats.shift()?.()
  await turn()
  await chaos.inject('bus', 'ring', { times: 1 })
  expect([await next(), await next(), await next()]).toEqual(['armed', 'landed', 'ended'])
})

describe('an injection that a stream holds', () => {
  const arm = (url: string, body: Record<string, unknown>) =>
    ask(`${url}/injections`, { method: 'POST', body: { target: 'bus', fault: 'drop-events', ...body } })

  it('ends at once when the stream does, in whichever way; others do not', async () => {
    const { controller, bus } = testChaos()
    const { url } = await mounted(controller)
    for (const [round, end] of [
      (socket: WebSocket) => socket.close(),
      (socket: WebSocket) => socket.terminate(),
    ].entries()) {
      const stream = await streamed(url)
      const ended = nextEntry(controller, isEnd(`held-${round}`))
      await arm(url, { id: `held-${round}`, connection: stream.connection })
      await arm(url, { id: `leased-${round}` })
      end(stream.socket)
      expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
      expect((await controller.injections()).find(({ id }) => id === `leased-${round}`)).toMatchObject({
        status: 'active',
      })
      await controller.stop(`leased-${round}`)
      expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
    }
  })

  it('ends although it is still being armed', async () => {
    const { controller } = testChaos()
    const { url } = await mounted(controller)
    const stream = await streamed(url)
    const armed = nextEntry(controller, ({ type }) => type === 'armed')
    const answer = arm(url, { fault: 'arm-slowly', connection: stream.connection })
    await armed
    stream.socket.terminate()
    expect((await answer).status).toBe(409)
    expect(await controller.injections()).toMatchObject([{ status: 'ended', outcome: 'stopped' }])
  })

  it('ends although the controller is slow to say which one it is', async () => {
    const { controller } = testChaos()
    let letGo: () => void = () => undefined
    const held = new Promise<void>((resolve) => (letGo = resolve))
    const begun = vi.fn()
    const remote: ChaosController = {
      ...controller,
      async inject(...args) {
        begun()
        await held
        return controller.inject(...args)
      },
    }
    const { url } = await mounted(remote)
    const stream = await streamed(url)
    const answer = arm(url, { connection: stream.connection })
    await vi.waitFor(() => expect(begun).toHaveBeenCalled())
    stream.socket.terminate()
    await vi.waitFor(async () => expect((await arm(url, { connection: stream.connection })).status).toBe(409))
    const ended = nextEntry(controller, isEnd())
    letGo()
    await answer
    expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
  })

  it('is refused for a stream of another endpoint, and for one that has ended', async () => {
    const { controller } = testChaos()
    const [here, there] = [await mounted(controller), await mounted(controller)]
    const stream = await streamed(there.url)
    expect((await arm(here.url, { connection: stream.connection })).status).toBe(409)
    stream.socket.terminate()
    await vi.waitFor(async () => expect((await arm(there.url, { connection: stream.connection })).status).toBe(409))
    expect((await controller.injections()).filter(({ status }) => status === 'active')).toEqual([])
  })
})
