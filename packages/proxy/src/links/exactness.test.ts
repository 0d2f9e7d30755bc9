import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Fault, Injection } from '@chaos/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inForce, isBalanced, startScene } from '../../test/tcp.js'
import {
  delayData,
  limitBandwidth,
  retransmitData,
  sliceData,
  slowClose,
  type Proxy,
  type ProxyTarget,
} from '../index.js'

/** Faults that lose no byte, with options that differ from call to call. */
const HARMLESS: readonly ((n: number) => Fault<ProxyTarget>)[] = [
  (n) => delayData({ delayMs: n % 3, jitterMs: n % 2, stream: 'both' }),
  (n) => limitBandwidth({ bytesPerSecond: n % 4 === 0 ? 0 : 5_000_000 * n, shared: n % 2 === 0, stream: 'both' }),
  (n) => sliceData({ sizeBytes: 400 + n * 100, variationBytes: n, stream: 'both' }),
  (n) => retransmitData({ lossRate: 0.2, timeoutMs: n % 4, stream: 'both' }),
  (n) => slowClose({ delayMs: n, stream: 'both' }),
]

type Step =
  | { readonly do: 'add'; readonly fault: number; readonly n: number; readonly rate: number }
  | { readonly do: 'update' | 'end'; readonly which: number; readonly n: number }
  | { readonly do: 'wait'; readonly n: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    fault: fc.nat(HARMLESS.length - 1),
    n: fc.integer({ min: 1, max: 9 }),
    rate: fc.constantFrom(1, 0.5),
  }),
  fc.record({
    do: fc.constantFrom('update' as const, 'end' as const),
    which: fc.nat(5),
    n: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ do: fc.constant('wait' as const), n: fc.nat(4) }),
)

/** Bytes of a seed. */
function bytesOf(seed: number, length: number): Buffer {
  const block = createHash('sha512').update(String(seed)).digest()
  return Buffer.concat(Array.from({ length: Math.ceil(length / 64) }, () => block)).subarray(0, length)
}

/** Sends bytes in pieces, and their end. */
function send(socket: Socket, bytes: Buffer, pieceBytes: number): void {
  for (let at = 0; at < bytes.length; at += pieceBytes) socket.write(bytes.subarray(at, at + pieceBytes))
  socket.end()
}

/** Reads with pauses, until the end. */
function receive(socket: Socket, pauseEvery: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (bytes: Buffer) => {
    chunks.push(bytes)
    if (chunks.length % pauseEvery !== 0) return
    socket.pause()
    setTimeout(() => socket.resume(), 1)
  })
  return new Promise((resolve, reject) => socket.on('error', reject).on('end', () => resolve(Buffer.concat(chunks))))
}

const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Lets faults come, change and go. */
async function play(proxy: Proxy, steps: readonly Step[]): Promise<void> {
  const live: { readonly injection: Injection; readonly make: (n: number) => Fault<ProxyTarget> }[] = []
  for (const one of steps) {
    if (one.do === 'wait') await turn(one.n)
    else if (one.do === 'add') {
      const make = HARMLESS[one.fault] as (typeof HARMLESS)[number]
      live.push({ make, injection: await inForce(make(one.n), proxy, { rate: one.rate }) })
    } else if (live.length > 0) {
      const at = one.which % live.length
      const { injection, make } = live[at] as (typeof live)[number]
      if (one.do === 'update') proxy.update(injection.id, make(one.n))
      else {
        live.splice(at, 1)
        await injection.rollback()
      }
    }
  }
  for (const { injection } of live) await injection.rollback()
}

it('carries every byte in order, both ways and with both ends, while faults come, change and go', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        steps: fc.array(step, { maxLength: 25 }),
        up: fc.integer({ min: 0, max: 400_000 }),
        down: fc.integer({ min: 0, max: 400_000 }),
        pieceBytes: fc.integer({ min: 100, max: 100_000 }),
        pauseEvery: fc.integer({ min: 1, max: 20 }),
        publicApiOnly: fc.boolean(),
      }),
      async ({ steps, up, down, pieceBytes, pauseEvery, publicApiOnly }) => {
        const [request, answer] = [bytesOf(1, up), bytesOf(2, down)]
        const atServer: Promise<Buffer>[] = []
        const { proxy, attempt } = await startScene({ publicApiOnly, maxHeldBytes: 100_000 }, (socket) => {
          atServer.push(receive(socket, pauseEvery))
          send(socket, answer, pieceBytes)
        })
        const { socket } = attempt()
        const atClient = receive(socket, pauseEvery)
        send(socket, request, pieceBytes)
        await play(proxy, steps)
        expect((await atClient).equals(answer)).toBe(true)
        expect((await (atServer[0] as Promise<Buffer>)).equals(request)).toBe(true)
        const { upstream, downstream } = proxy.counters
        expect([upstream.bytesOut, upstream.bytesDropped, downstream.bytesOut, downstream.bytesDropped]).toEqual([
          up,
          0,
          down,
          0,
        ])
        expect(isBalanced(upstream) && isBalanced(downstream)).toBe(true)
        await proxy.close()
      },
    ),
    { numRuns: 60 },
  ))
