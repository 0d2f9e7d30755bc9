import { describe, expect, it } from 'vitest'
import { Fields } from './fields.js'
import { assertToxicType, faultOf, readAttributes } from './toxic-types.js'

/** The fault that Toxiproxy's words make. */
function made(type: string, attributes: Readonly<Record<string, number>> = {}) {
  const fault = faultOf(type, readAttributes(type, new Fields(attributes, 'attributes')), 'upstream')
  return { name: fault.name, ...fault.options }
}

describe("Toxiproxy's toxics", () => {
  it.each([
    ['latency', { latency: 50, jitter: 10 }, { name: 'proxy/delay-data', delayMs: 50, jitterMs: 10 }],
    ['latency', { latency: -5 }, { name: 'proxy/delay-data', delayMs: 0, jitterMs: 0 }],
    ['bandwidth', { rate: 100 }, { name: 'proxy/limit-bandwidth', bytesPerSecond: 100_000, shared: false }],
    ['bandwidth', {}, { name: 'proxy/limit-bandwidth', bytesPerSecond: 0 }],
    ['slow_close', { delay: 7 }, { name: 'proxy/slow-close', delayMs: 7 }],
    ['timeout', {}, { name: 'proxy/drop-data', timeoutMs: 0 }],
    ['reset_peer', { timeout: 3 }, { name: 'proxy/reset-connections', afterMs: 3 }],
    [
      'slicer',
      { average_size: 100, size_variation: 20, delay: 1_500 },
      { name: 'proxy/slice-data', sizeBytes: 100, variationBytes: 20, delayMs: 1.5 },
    ],
    ['slicer', { average_size: 1_000_000 }, { name: 'proxy/slice-data', sizeBytes: 65_536 }],
    ['limit_data', { bytes: 9 }, { name: 'proxy/limit-data', bytes: 9 }],
    ['packet_loss', { loss_rate: 0.2, correlation: 2 }, { name: 'proxy/lose-data', lossRate: 0.2, correlation: 1 }],
    ['packet_loss', { loss_rate: -1 }, { name: 'proxy/lose-data', lossRate: 0, correlation: 0 }],
    ['noop', {}, { name: 'proxy/lose-data', lossRate: 0 }],
    ['corrupt', { rate: 0.5 }, { name: 'proxy/corrupt-data', byteRate: 0.5 }],
    ['limit_time', { time: 5 }, { name: 'proxy/close-connections', afterMs: 5 }],
    ['shared_bandwidth', { rate: 2 }, { name: 'proxy/limit-bandwidth', bytesPerSecond: 2_000, shared: true }],
    ['latency', { latency: 2 ** 40 }, { name: 'proxy/delay-data', delayMs: 2 ** 31 - 1 }],
  ])('%s %o', (type, attributes, expected) => {
    expect(made(type, attributes)).toMatchObject({ ...expected, stream: 'upstream' })
  })

  it.each([
    ['slow_connect', { delay: 5, jitter: 2 }, { name: 'proxy/delay-connections', delayMs: 5, jitterMs: 2 }],
    ['refuse_connect', { delay: 5 }, { name: 'proxy/refuse-connections', how: 'reset', afterMs: 5 }],
    ['hang_connect', {}, { name: 'proxy/refuse-connections', how: 'hang' }],
  ])('%s %o, whatever the stream', (type, attributes, expected) => {
    expect(made(type, attributes)).toMatchObject(expected)
  })

  it.each([
    ['bandwidth', { rate: -1 }],
    ['shared_bandwidth', { rate: -1 }],
    ['slicer', {}],
    ['slicer', { average_size: 10, size_variation: 11 }],
    ['latency', { latency: 1.5 }],
    ['limit_data', { bytes: Number.NaN }],
  ])('%s refuses %o', (type, attributes) => {
    expect(() => made(type, attributes)).toThrow(/invalid attribute: expected|cannot unmarshal number/)
  })

  it('know no other type', () => {
    for (const type of ['down', 'constructor', '']) expect(() => assertToxicType(type)).toThrow('invalid toxic type')
  })
})
