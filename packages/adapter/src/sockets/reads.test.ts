import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import net from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connected, lifeOf, listen } from '../../test/tcp.js'
import { cutResponses } from '../http/faults/cut-responses.js'
import { slowResponses } from '../http/faults/slow-responses.js'

/** A connection that reads into a buffer of the application, and what the application got. */
async function reading(
  port: number,
  buffer: Uint8Array | (() => Uint8Array),
  wants = (_text: string): boolean => true,
): Promise<{ readonly socket: net.Socket; readonly heard: string[] }> {
  const heard: string[] = []
  const callback = (length: number, bytes: Uint8Array): boolean => {
    const text = Buffer.from(bytes.subarray(0, length)).toString()
    heard.push(text)
    return wants(text)
  }
  const socket = net.connect({ port, host: '127.0.0.1', onread: { buffer, callback } })
  socket.on('end', () => heard.push('end')).on('error', (error) => heard.push(error.message))
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return { socket, heard }
}

/** The members of a socket that hold its buffer. */
const membersOf = (socket: net.Socket): readonly unknown[] =>
  Object.getOwnPropertySymbols(socket).map(
    (symbol) => Object.getOwnPropertyDescriptor(socket, symbol)?.value as unknown,
  )

describe('a socket that reads into a buffer of the application', () => {
  it.each<readonly [string, () => Uint8Array | (() => Uint8Array)]>([
    ['one buffer', () => Buffer.alloc(4)],
    ['a new buffer each time', () => () => Buffer.alloc(4)],
  ])('gets the bytes late and in order, its end last, with %s', async (_name, buffer) => {
    const { port, accepted } = await listen()
    const { socket, heard } = await reading(port, buffer())
    const before = membersOf(socket).filter((value) => typeof value === 'function')
    const clock = manualClock()
    const injection = await inject(slowResponses({ delayMs: 100 }), net, { clock, only: `*:${port}` })
    accepted[0]?.end('abcdefgh')
    await vi.waitFor(() => expect([injection.held, injection.queued]).toEqual([3, 1]))
    await clock.advance(99)
    expect(heard).toEqual([])
    await clock.advance(1)
    await injection.rollback()
    await vi.waitFor(() => expect(heard).toEqual(['abcd', 'efgh', 'end']))
    expect(membersOf(socket).filter((value) => typeof value === 'function')).toEqual(before)
  })

  it('gets nothing while it has paused', async () => {
    const { port, accepted } = await listen((socket) => void socket.write('ab'))
    const clock = manualClock()
    const injection = await inject(slowResponses({ delayMs: 100, pieceBytes: 1 }), net, { clock, only: `*:${port}` })
    const { socket, heard } = await reading(port, Buffer.alloc(8), (text) => text !== 'a')
    await vi.waitFor(() => expect(injection.held).toBe(2))
    await clock.advance(200)
    expect([heard, injection.held]).toEqual([['a'], 0])
    socket.resume()
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b']))
    accepted[0]?.write('cd')
    await vi.waitFor(() => expect(injection.held).toBe(2))
    await injection.rollback()
    expect(heard).toEqual(['a', 'b', 'c', 'd'])
  })

  it('is cut as by a server that dies in its answer', async () => {
    const { port, accepted } = await listen()
    const { heard } = await reading(port, Buffer.alloc(8))
    const injection = await inject(cutResponses({ afterBytes: 4 }), net, { only: `*:${port}`, limit: 1 })
    accepted[0]?.write('half of it')
    await vi.waitFor(() => expect(heard).toEqual(['half', 'read ECONNRESET']))
    await injection.rollback()
  })
})

describe('backpressure', () => {
  const size = 16 * 1024 * 1024
  const isReading = (socket: net.Socket): unknown => Reflect.get(Reflect.get(socket, '_handle') as object, 'reading')

  it('stops the server when the fault holds as much as a connection does', async () => {
    const { port } = await listen((socket) => void socket.end(Buffer.alloc(size)))
    const injection = await inject(slowResponses({ delayMs: 60_000 }), net, { only: `*:${port}` })
    const socket = await connected(port)
    let received = 0
    socket.on('data', (bytes) => (received += bytes.length))
    await vi.waitFor(() => expect(isReading(socket)).toBe(false))
    expect(socket.bytesRead).toBeLessThan(size / 2)
    const ends = once(socket, 'end')
    await injection.rollback()
    await ends
    expect(received).toBe(size)
  })

  it('stops the server when the application does not read what came late', async () => {
    const { port } = await listen((socket) => void socket.end(Buffer.alloc(size)))
    const clock = manualClock()
    const injection = await inject(slowResponses({ delayMs: 100 }), net, { clock, only: `*:${port}` })
    const socket = await connected(port)
    socket.once('readable', () => undefined)
    await vi.waitFor(() => expect(injection.held).toBeGreaterThan(0))
    await clock.advance(100)
    expect(isReading(socket)).toBe(false)
    socket.resume()
    const life = lifeOf(socket)
    await injection.rollback()
    expect((await life).at(-1)).toMatch(/^close/)
    expect(socket.bytesRead).toBe(size)
  })
})
