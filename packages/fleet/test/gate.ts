import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a server that can be shut: what clients send meanwhile waits in front of it. */
export interface Gate {
  readonly port: number
  shut(): void
  /** Resolves when the server has answered what has waited. */
  open(): Promise<void>
  stop(): void
}

interface Way {
  readonly far: Socket
  /** What waits, in order. */
  readonly held: Buffer[]
  /** Whether the client has given up meanwhile: its server hears that after what it was sent. */
  isLeft: boolean
}

/** Makes a gate in front of a server on loopback. */
export async function gateTo(port: number): Promise<Gate> {
  const ways = new Set<Way>()
  const sockets = new Set<Socket>()
  let isShut = false
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const way: Way = { far, held: [], isLeft: false }
    ways.add(way)
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
    near
      .on('data', (chunk: Buffer) => (isShut ? way.held.push(chunk) : far.write(chunk)))
      .on('close', () => {
        way.isLeft = true
        if (!isShut) far.end()
      })
    far
      .on('data', (chunk) => void near.write(chunk))
      .on('close', () => {
        ways.delete(way)
        near.destroy()
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    shut() {
      isShut = true
    },
    async open() {
      isShut = false
      await Promise.all(
        [...ways].map(async ({ far, held, isLeft }) => {
          const chunks = held.splice(0)
          const answered = new Promise((resolve) => far.once('data', resolve).once('close', resolve))
          for (const chunk of chunks) far.write(chunk)
          if (isLeft) far.end()
          if (chunks.length > 0) await answered
        }),
      )
    },
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
