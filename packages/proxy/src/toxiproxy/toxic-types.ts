import type { Fault } from '@chaos/core'
import { MAX_TIMER_MS } from '@chaos/core/authoring'
import {
  closeConnections,
  corruptData,
  delayConnections,
  delayData,
  dropData,
  limitBandwidth,
  limitData,
  loseData,
  refuseConnections,
  resetConnections,
  sliceData,
  slowClose,
  type ProxyTarget,
} from '../index.js'
import { ApiError } from './api-error.js'
import type { Fields } from './fields.js'

/** The stream of a toxic. Toxiproxy has no `both`. */
export type ToxicStream = 'upstream' | 'downstream' | 'both'

/** The attributes of a toxic, all of them numbers. */
export type Attributes = Readonly<Record<string, number>>

type FaultOf<Name extends string> = (
  attributes: Readonly<Record<Name, number>>,
  stream: ToxicStream,
) => Fault<ProxyTarget>

/** A type of toxics: its attributes, which are 0 unless given, and the fault that does what it does. */
interface ToxicType {
  readonly attributes: Readonly<Record<string, 'int64' | 'float32'>>
  readonly fault: FaultOf<string>
}

const ofIntegers = <Name extends string>(names: readonly Name[], fault: FaultOf<Name>): ToxicType => ({
  attributes: Object.fromEntries(names.map((name) => [name, 'int64'])),
  fault,
})
const ofShares = <Name extends string>(names: readonly Name[], fault: FaultOf<Name>): ToxicType => ({
  attributes: Object.fromEntries(names.map((name) => [name, 'float32'])),
  fault,
})

/** Toxiproxy takes a negative time for none, and a time of any length. */
const ms = (value: number): number => Math.min(Math.max(value, 0), MAX_TIMER_MS)
const share = (value: number): number => Math.min(Math.max(value, 0), 1)
/** A proxy reads no more at once, so that larger slices are whole. */
const MAX_SLICE = 65_536

/** Bytes per second of a rate in KB/s. */
const bandwidth = (rate: number): number => {
  if (rate < 0) throw outOfRange('rate', 'at least 0', rate)
  return Math.min(rate * 1_000, Number.MAX_SAFE_INTEGER)
}

/** The types of toxics: those of Toxiproxy, and from `corrupt` on those that it has not. */
const TYPES: Readonly<Record<string, ToxicType>> = {
  latency: ofIntegers(['latency', 'jitter'], ({ latency, jitter }, stream) =>
    delayData({ delayMs: ms(latency), jitterMs: ms(jitter), stream }),
  ),
  bandwidth: ofIntegers(['rate'], ({ rate }, stream) => limitBandwidth({ bytesPerSecond: bandwidth(rate), stream })),
  slow_close: ofIntegers(['delay'], ({ delay }, stream) => slowClose({ delayMs: ms(delay), stream })),
  timeout: ofIntegers(['timeout'], ({ timeout }, stream) => dropData({ timeoutMs: ms(timeout), stream })),
  reset_peer: ofIntegers(['timeout'], ({ timeout }, stream) => resetConnections({ afterMs: ms(timeout), stream })),
  slicer: ofIntegers(['average_size', 'size_variation', 'delay'], (attributes, stream) => {
    const { average_size: size, size_variation: variation, delay } = attributes
    if (size < 1) throw outOfRange('average_size', 'at least 1', size)
    if (variation > size) throw outOfRange('size_variation', `at most average_size (${size})`, variation)
    const sizeBytes = Math.min(size, MAX_SLICE)
    const variationBytes = Math.min(Math.max(variation, 0), sizeBytes)
    return sliceData({ sizeBytes, variationBytes, delayMs: ms(delay / 1_000), stream })
  }),
  limit_data: ofIntegers(['bytes'], ({ bytes }, stream) => limitData({ bytes: Math.max(bytes, 0), stream })),
  packet_loss: ofShares(['loss_rate', 'correlation'], (attributes, stream) =>
    loseData({ lossRate: share(attributes.loss_rate), correlation: share(attributes.correlation), stream }),
  ),
  // A fault that loses nothing is in force and affects nothing.
  noop: ofIntegers([], (_attributes, stream) => loseData({ lossRate: 0, stream })),
  corrupt: ofShares(['rate'], ({ rate }, stream) => corruptData({ byteRate: share(rate), stream })),
  limit_time: ofIntegers(['time'], ({ time }, stream) => closeConnections({ afterMs: ms(time), stream })),
  shared_bandwidth: ofIntegers(['rate'], ({ rate }, stream) =>
    limitBandwidth({ bytesPerSecond: bandwidth(rate), shared: true, stream }),
  ),
  slow_connect: ofIntegers(['delay', 'jitter'], ({ delay, jitter }) =>
    delayConnections({ delayMs: ms(delay), jitterMs: ms(jitter) }),
  ),
  refuse_connect: ofIntegers(['delay'], ({ delay }) => refuseConnections({ afterMs: ms(delay) })),
  hang_connect: ofIntegers([], () => refuseConnections({ how: 'hang' })),
}

/**
 * Checks the type of a toxic.
 *
 * @throws ApiError 400 if there is no such type.
 */
export function assertToxicType(type: string): void {
  if (!Object.hasOwn(TYPES, type)) throw new ApiError(400, 'invalid toxic type')
}

/**
 * Reads the attributes of a toxic.
 *
 * @param before What absent attributes stay at. Default: 0.
 * @throws ApiError 400 for an attribute of another type.
 */
export function readAttributes(type: string, fields: Fields, before: Attributes = {}): Attributes {
  const { attributes } = TYPES[type] as ToxicType
  return Object.fromEntries(
    Object.entries(attributes).map(([name, kind]) => [name, fields.get(name, kind) ?? before[name] ?? 0]),
  )
}

/**
 * The fault that does what a toxic does.
 *
 * @throws ApiError 400 for values that make no sense. They crash Toxiproxy.
 */
export function faultOf(type: string, attributes: Attributes, stream: ToxicStream): Fault<ProxyTarget> {
  return (TYPES[type] as ToxicType).fault(attributes, stream)
}

const outOfRange = (attribute: string, expected: string, got: number): ApiError =>
  new ApiError(400, `invalid attribute: expected ${attribute} to be ${expected}, got ${got}`)
