import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A relay to a server. */
export interface MuteRelay {
  /** Its port; 0 where it listens on a path. */
  readonly port: number
  /** While it is mute, it swallows what comes from the client. */
  isMute: boolean
  /** While it is deaf, it swallows what comes from the server. */
  isDeaf: boolean
  /** Cuts all connections. New ones are relayed. */
  readonly cut: () => void
  readonly stop: () => void
}

/**
 * Starts a relay to a server on loopback.
 *
 * @param to The port of the server, or the path of its socket.
 * @param path Where the relay listens. Default: a free port.
 */
export async function muteRelay(to: number | string, path?: string): Promise<MuteRelay> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to)
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
    near.on('data', (chunk) => relay.isMute || far.write(chunk)).on('close', () => far.destroy())
    far.on('data', (chunk) => relay.isDeaf || near.write(chunk)).on('close', () => near.destroy())
  })
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  const relay = {
    port: path === undefined ? (server.address() as AddressInfo).port : 0,
    isMute: false,
    isDeaf: false,
    cut,
    stop: () => {
      server.close()
      cut()
    },
  }
  return relay
}
