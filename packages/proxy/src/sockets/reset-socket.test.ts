import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { startTlsUpstream, testAuthority } from '../../test/tls.js'
import { resetSocket } from './reset-socket.js'

function connected(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  return socket
}

it('closes a connection whose end waits behind bytes that the peer does not take', async () => {
  const server = createServer({ pauseOnConnect: true }, (peer) => onTestFinished(() => void peer.destroy()))
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const socket = connected((server.address() as AddressInfo).port)
  await once(socket, 'connect')
  socket.end(Buffer.alloc(64 * 1_048_576))
  resetSocket(socket)
  await once(socket, 'close')
})

it('resets a connection whose end of TLS is being sent', async () => {
  const { address, accepted } = await startTlsUpstream({}, () => undefined)
  const connection = connected(Number(address.split(':')[1]))
  const { certificate: ca } = await testAuthority()
  const secure = connectTls({ socket: connection, ca, servername: 'localhost' }).on('error', () => undefined)
  await Promise.all([once(secure, 'secureConnect'), expect.poll(() => accepted.length).toBe(1)])
  secure.end()
  resetSocket(connection, secure)
  await once(connection, 'close')
})
