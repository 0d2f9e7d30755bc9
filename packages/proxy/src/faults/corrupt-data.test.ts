import { describe, expect, it } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { corruptData, sliceData } from '../index.js'

const SIZE = 200_000

/** What a client receives of zeros. */
async function received(byteRate: number, seed = 1, sizeBytes?: number): Promise<Buffer> {
  const { proxy, connect } = await startScene({}, (socket) => void socket.write(Buffer.alloc(SIZE)))
  if (sizeBytes !== undefined) await inForce(sliceData({ sizeBytes }), proxy)
  const injection = await inForce(corruptData({ byteRate }), proxy, { seed, id: 'corrupt' })
  const bytes = await (await connect()).receives(SIZE)
  await injection.rollback()
  return bytes
}

const changed = (bytes: Buffer): readonly number[] => [...bytes].filter((byte) => byte !== 0)

describe('corruptData', () => {
  it('flips one bit in the given share of the bytes', async () => {
    const bytes = changed(await received(0.01))
    expect(bytes.length / SIZE).toBeCloseTo(0.01, 2)
    for (const byte of bytes) expect(Math.log2(byte) % 1).toBe(0)
    expect(new Set(bytes).size).toBe(8)
  })

  it('damages nothing or everything at the ends of the range', async () => {
    expect(changed(await received(0)).length).toBe(0)
    expect(changed(await received(1)).length).toBe(SIZE)
  })

  it('damages the same bytes for the same seed, however the data is cut', async () => {
    const [first, again, other] = [await received(0.001), await received(0.001, 1, 50), await received(0.001, 2)]
    expect(again.equals(first)).toBe(true)
    expect(other.equals(first)).toBe(false)
  })
})
