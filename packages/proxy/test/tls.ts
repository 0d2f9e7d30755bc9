import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { connect, createServer, type ConnectionOptions, type TlsOptions, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import { createAuthority, type Authority } from '../src/tls/index.js'

let made: Promise<Authority> | undefined

/** The authority of a test file. Keys take a while to make. */
export function testAuthority(): Promise<Authority> {
  made ??= createAuthority()
  return made
}

/** Starts a TLS server, which ends with the test. @param onConnection Default: sends back what it gets, and its end. */
export async function startTlsUpstream(
  options: TlsOptions = {},
  onConnection: (socket: TLSSocket) => void = echo,
): Promise<{
  readonly address: string
  readonly accepted: readonly TLSSocket[]
  /** Stops listening and destroys all connections. */
  readonly close: () => Promise<void>
}> {
  const { serverIdentity } = await testAuthority()
  const accepted: TLSSocket[] = []
  const server = createServer({ ...serverIdentity(['localhost', '127.0.0.1']), ...options })
  server.on('connection', (socket: Socket) => {
    // Each direction ends by itself. Node.js has no option for it.
    socket.allowHalfOpen = true
  })
  server.on('secureConnection', (socket) => {
    socket.allowHalfOpen = true
    accepted.push(socket.on('error', () => undefined))
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connections = new Set<Socket>()
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of connections) socket.destroy()
    })
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
  })
  onTestFinished(close)
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, accepted, close }
}

const echo = (socket: Socket): void =>
  void socket.on('data', (bytes) => socket.write(bytes)).on('end', () => socket.end())

/** Connects a client that trusts the authority, and is destroyed when the test ends. */
export async function startTlsClient(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { certificate } = await testAuthority()
  const client = connect({ host: '127.0.0.1', port, ca: certificate, servername: 'localhost', ...options })
  onTestFinished(() => void client.destroy())
  return client
}

/** Connects a client, and waits for the end of its handshake. */
export async function connectTls(port: number, options?: ConnectionOptions): Promise<TLSSocket> {
  const client = await startTlsClient(port, options)
  await once(client, 'secureConnect')
  return client
}

/** What a client of Node.js sends first. */
export async function clientHello(options: ConnectionOptions): Promise<Buffer> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options })
  client.on('error', () => undefined)
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [hello] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  client.destroy()
  server.close()
  return hello
}
