import type { Fault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { inForce } from '../../test/tcp.js'
import {
  closeConnections,
  delayData,
  limitBandwidth,
  limitData,
  loseData,
  sliceData,
  type ProxyTarget,
} from '../index.js'
import { Outlet } from '../sockets/outlet.js'
import { ENGINE } from '../toxics/engine.js'
import type { Encounter } from '../toxics/encounter.js'
import type { Toxic } from '../toxics/toxic.js'
import { Link } from './link.js'
import type { Stage } from './stage.js'

/** A link and the stage of one fault. It ends in a socket that takes all at once, and tells what left in one go. */
async function linkAndStage(fault: Fault<ProxyTarget>) {
  const clock = manualClock()
  const toxics: Toxic[] = []
  const engine = { add: (toxic: Toxic) => void toxics.push(toxic), remove: () => undefined }
  await inForce(fault, { [ENGINE]: engine }, { clock, seed: 1 })
  const batches: string[] = []
  let batch: string | undefined
  let written: (() => void) | undefined
  const socket = {
    writableLength: 0,
    destroyed: false,
    errored: null,
    cork: () => (batch = ''),
    uncork() {
      batches.push(batch as string)
      batch = undefined
    },
    write(bytes: Buffer, done?: () => void) {
      written = done
      if (batch === undefined) batches.push(String(bytes))
      else batch += String(bytes)
    },
  }
  let isReading = false
  const source = { pause: () => void (isReading = false), resume: () => void (isReading = true) }
  const outlet = new Outlet(
    socket as unknown as Socket,
    () => link.settle(),
    () => undefined,
  )
  const link: Link = new Link(source, outlet, 1_000_000)
  const [toxic] = toxics as [Toxic]
  const connection = { ordinal: 1, clientAddress: '127.0.0.1', clientPort: 1 }
  const makeStage = (): Stage => toxic.stage(toxic.meet(connection) as Encounter, connection, 'downstream') as Stage
  let kept = 0
  const read = (text: string): boolean =>
    link.read(Buffer.from(text), () => {
      kept += text.length
      return Buffer.from(text)
    })
  /** The system takes no more for now. */
  const stall = (): void => void (socket.writableLength = 1)
  /** The system has taken what it had not taken. */
  const drain = (): void => {
    socket.writableLength = 0
    written?.()
  }
  const watch = { kept: () => kept, isReading: () => isReading }
  return { clock, link, makeStage, stage: makeStage(), read, batches, stall, drain, ...watch }
}

/** A link with the stage of one fault. */
async function linkWith(fault: Fault<ProxyTarget>) {
  const parts = await linkAndStage(fault)
  parts.link.add(parts.stage)
  parts.link.start()
  return parts
}

it('writes in one go what is due at the same time', async () => {
  const { clock, read, batches } = await linkWith(delayData({ delayMs: 10 }))
  read('a')
  read('b')
  await clock.advance(5)
  read('c')
  await clock.advance(5)
  expect(batches).toEqual(['ab'])
  await clock.advance(5)
  expect(batches).toEqual(['ab', 'c'])
})

it('writes each slice by itself', async () => {
  const { read, batches } = await linkWith(sliceData({ sizeBytes: 2 }))
  read('abcdef')
  expect(batches.length).toBeGreaterThanOrEqual(3)
  expect(batches.join('')).toBe('abcdef')
  for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(2)
})

it('does not read into bytes that the system has not taken yet, though a fault comes and goes meanwhile', async () => {
  const { link, stage, read, stall, drain, isReading } = await linkAndStage(delayData({ delayMs: 10 }))
  link.start()
  stall()
  expect(read('hello')).toBe(true)
  for (const change of [() => link.add(stage), () => link.remove(stage), () => link.add(stage)]) {
    change()
    expect(isReading()).toBe(false)
  }
  drain()
  expect(isReading()).toBe(true)
})

it('decides about each 32 KiB of a read whether they are lost', async () => {
  const { read, batches } = await linkWith(loseData({ lossRate: 0.5 }))
  read('x'.repeat(262_144))
  const passed = batches.join('').length
  expect([passed > 0, passed < 262_144, passed % 32_768]).toEqual([true, true, 0])
})

it('takes no copy of bytes for a stage that does not keep them', async () => {
  const { read, batches, kept } = await linkWith(limitData({ bytes: 100 }))
  expect(read('abc')).toBe(false)
  expect(batches).toEqual(['abc'])
  expect(kept()).toBe(0)
})

it('takes a copy for a stage that keeps bytes', async () => {
  const { read, kept } = await linkWith(delayData({ delayMs: 10 }))
  expect(read('abc')).toBe(false)
  expect(kept()).toBe(3)
})

it('reads nothing more into a buffer that the system has not taken all of', async () => {
  const { read, stall, drain, kept, isReading } = await linkWith(limitData({ bytes: 100 }))
  expect(isReading()).toBe(true)
  stall()
  expect(read('abc')).toBe(true)
  expect(isReading()).toBe(false)
  drain()
  expect(isReading()).toBe(true)
  expect(kept()).toBe(0)
})

/** Has each use of the fields and getters of a stage counted. */
function count(stage: Stage, used: () => void): void {
  for (let at: object = stage; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const [key, { value, get, set }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function' || (at !== stage && Object.hasOwn(stage, key))) continue
      let field: unknown = value
      Object.defineProperty(stage, key, {
        get() {
          used()
          return get === undefined ? field : (get.call(stage) as unknown)
        },
        set(to: unknown) {
          used()
          if (get === undefined) field = to
          else set?.call(stage, to)
        },
      })
    }
  }
}

/** How often the stages are used while so many come, hold, follow new options and go. */
async function usesOf(fault: Fault<ProxyTarget>, stages: number, order: 'oldest first' | 'newest first') {
  const { clock, link, makeStage, read, batches } = await linkAndStage(fault)
  let uses = 0
  const crowd = Array.from({ length: stages }, () => {
    const stage = makeStage()
    count(stage, () => void (uses += 1))
    return stage
  })
  link.start()
  for (const stage of crowd) link.add(stage)
  read('abc')
  for (const stage of crowd) link.edit(stage)
  for (const stage of order === 'oldest first' ? crowd : [...crowd].reverse()) link.remove(stage)
  expect(batches.join('')).toBe('abc')
  expect(clock.pending).toBe(1)
  return uses
}

describe.each(['oldest first', 'newest first'] as const)('stages that go, the %s', (order) => {
  it.each([
    ['hold bytes for a time', delayData({ delayMs: 10 })],
    ['hold bytes for ever', limitBandwidth({ bytesPerSecond: 0 })],
    ['wait for their time', closeConnections({ afterMs: 1_000 })],
    ['let bytes pass', limitData({ bytes: 100 })],
  ])('cost no more each when there are many of them that %s', async (_what, fault) => {
    const few = await usesOf(fault, 100, order)
    expect(await usesOf(fault, 400, order)).toBeLessThan(5 * few)
  })
})

it('keeps no stage waiting for the clock of another one', async () => {
  const { clock, link, read, batches } = await linkWith(delayData({ delayMs: 10 }))
  const other = await linkAndStage(delayData({ delayMs: 20 }))
  link.add(other.stage)
  read('a')
  await clock.advance(10)
  read('b')
  await other.clock.advance(20)
  expect(batches).toEqual(['a'])
})
