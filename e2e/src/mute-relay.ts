import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A relay to a server, for the running test. While it is mute, it swallows what comes from the client. */
export async function relayTo(port: number): Promise<{ readonly port: number; isMute: boolean }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
    near.on('data', (chunk) => relay.isMute || far.write(chunk)).on('close', () => far.destroy())
    far.on('data', (chunk) => void near.write(chunk)).on('close', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay = { port: (server.address() as AddressInfo).port, isMute: false }
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return relay
}
