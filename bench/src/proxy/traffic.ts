import { once } from 'node:events'
import type { End, Pair } from './ends.js'

const SMALL = Buffer.alloc(64, 1)
const LARGE = Buffer.alloc(1_048_576, 1)
/** A transfer that takes so long does not end at all. */
const PATIENCE_MS = 60_000

/**
 * Sends 64 bytes there and back, again and again.
 *
 * @param waitMs How long the server waits before it answers, by a timer. Default: not at all.
 * @returns The times, in ms.
 */
export async function roundTrips({ client, server }: Pair, times: number, waitMs?: number): Promise<number[]> {
  const spent: number[] = []
  const answer = (): void => void server.socket.write(SMALL)
  server.onBytes = waitMs === undefined ? answer : () => void setTimeout(answer, waitMs)
  for (let time = 0; time < times; time += 1) {
    const arrived = receives(client, SMALL.length)
    const from = performance.now()
    client.socket.write(SMALL)
    await arrived
    spent.push(performance.now() - from)
  }
  return spent
}

/** Sends so many bytes from one end to the other one. @returns The time until the last one has come, in ms. */
export async function transfer(from: End, to: End, bytes: number): Promise<number> {
  const arrived = receives(to, bytes)
  const start = performance.now()
  await send(from, bytes)
  await arrived
  return performance.now() - start
}

/** Writes so many bytes as fast as the socket takes them. */
export async function send({ socket }: End, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes; sent += LARGE.length) {
    if (!socket.write(LARGE.subarray(0, bytes - sent))) await once(socket, 'drain')
  }
}

/** Resolves when so many bytes have come from now on. */
function receives(end: End, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`Expected ${bytes} bytes, ${missing} of them did not come.`)),
      PATIENCE_MS,
    )
    let missing = bytes
    end.onBytes = (length) => {
      missing -= length
      if (missing > 0) return
      clearTimeout(timer)
      resolve()
    }
  })
}
