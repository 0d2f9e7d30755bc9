import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A link from a primary to its replica, for one test. */
export interface LaggingRelay {
  readonly port: number
  /** From now on nothing of what the primary says arrives. */
  readonly lag: () => void
}

export async function laggingRelay(primaryPort: number): Promise<LaggingRelay> {
  const sockets: Socket[] = []
  let isLagging = false
  const server = createServer((near) => {
    const far = connect(primaryPort, '127.0.0.1')
    for (const socket of [near, far]) sockets.push(socket.on('error', () => undefined))
    near.pipe(far)
    far.on('data', (chunk) => isLagging || near.write(chunk)).on('close', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    port: (server.address() as AddressInfo).port,
    lag() {
      isLagging = true
    },
  }
}
