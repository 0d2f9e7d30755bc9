import { once } from 'node:events'
import { createServer, Socket, type AddressInfo, type SocketConstructorOpts } from 'node:net'
import { readInto, type ReadInto } from '../../../packages/proxy/src/sockets/read-into.js'

/** All ends of a process read into this buffer, since nobody looks at the bytes. */
const RECEIVED = Buffer.allocUnsafeSlow(1_048_576)

/** One end of a connection, which costs as little as Node.js allows, so that the forwarder between two ends is what is measured. */
export interface End {
  readonly socket: Socket
  /** Called with the number of bytes of each read. */
  onBytes: (bytes: number) => void
}

/** A server, and connections to it through a forwarder. */
export interface Ends {
  readonly port: number
  /** Connects through a port, and waits for the other end. @param from The client's address. */
  readonly connect: (port: number, from?: string) => Promise<Pair>
  /** Called with each end that the server accepts. */
  onAccept: (server: End) => void
}

/** Both ends of a connection. */
export interface Pair {
  readonly client: End
  readonly server: End
}

/** Starts a server, which stays until the process ends. */
export async function startEnds(): Promise<Ends> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (accepted) =>
    ends.onAccept(acceptedEnd(accepted)),
  )
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 })
  await once(server, 'listening')
  const ends: Ends = {
    port: (server.address() as AddressInfo).port,
    onAccept: () => undefined,
    async connect(port, from) {
      const accepted = new Promise<End>((resolve) => (ends.onAccept = resolve))
      const client = connectEnd(port, from)
      await once(client.socket, 'connect')
      return { client, server: await accepted }
    },
  }
  return ends
}

/** Starts to connect. @param from The client's address. Default: what the system chooses, with a port that it may use again soon. */
export function connectEnd(port: number, from?: string): End {
  const socket = new Socket({ allowHalfOpen: true, onread: intoOneBuffer(() => end) } as SocketConstructorOpts)
  const end: End = { socket, onBytes: () => undefined }
  socket.setNoDelay(true)
  socket.on('error', () => undefined)
  end.socket.connect({ port, host: '127.0.0.1', localAddress: from })
  return end
}

function acceptedEnd(socket: Socket): End {
  const end: End = { socket, onBytes: () => undefined }
  socket.on('error', () => undefined)
  if (
    !readInto(
      socket,
      intoOneBuffer(() => end),
    )
  )
    socket.on('data', (bytes: Buffer) => end.onBytes(bytes.length))
  socket.resume()
  return end
}

function intoOneBuffer(end: () => End): ReadInto {
  return {
    buffer: () => RECEIVED,
    callback(bytes) {
      end().onBytes(bytes)
      return true
    },
  }
}
