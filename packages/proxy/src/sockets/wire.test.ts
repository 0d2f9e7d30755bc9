import { once } from 'node:events'
import { expect, it, onTestFinished, vi } from 'vitest'
import { startUpstream } from '../../test/tcp.js'
import { Wire } from './wire.js'

/** A wire that reads what a server sends. @param onBytes Returns whether the bytes stay in use. */
async function wireTo(port: number, onBytes: (bytes: Buffer) => boolean): Promise<Wire> {
  const ignore = (): void => undefined
  const wire = Wire.open({ onBytes, onEnd: ignore, onFailure: ignore, onClose: ignore })
  wire.socket.connect({ port, host: '127.0.0.1' })
  await once(wire.socket, 'connect')
  onTestFinished(() => void wire.socket.destroy())
  return wire
}

it('does not give a buffer to another connection while its bytes are in use', async () => {
  const upstream = await startUpstream(() => undefined)
  onTestFinished(upstream.close)
  const server = async (n: number) => {
    await vi.waitFor(() => expect(upstream.accepted.length).toBeGreaterThan(n))
    return upstream.accepted[n]
  }
  let inUse: Buffer | undefined
  let read = 0
  const one = await wireTo(upstream.port, (bytes) => {
    read += bytes.length
    if (bytes.length !== 10) return false
    inUse = bytes
    one.pause()
    return true
  })
  const [first] = [await server(0)]
  // Many bytes, so that the wire borrows a large buffer; then few, which come into it.
  first?.write(Buffer.alloc(500_000, 1))
  await vi.waitFor(() => expect(read).toBe(500_000))
  first?.write(Buffer.alloc(10, 2))
  await vi.waitFor(() => expect(inUse).toBeDefined())
  let others = 0
  await wireTo(upstream.port, (bytes) => {
    others += bytes.length
    return false
  })
  ;(await server(1))?.write(Buffer.alloc(500_000, 3))
  await vi.waitFor(() => expect(others).toBe(500_000))
  expect(inUse?.equals(Buffer.alloc(10, 2))).toBe(true)
})
