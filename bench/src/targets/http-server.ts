import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

export const isAsync = true

/** Requests in flight at once on the one connection, so that system calls are shared among them and the server's own work shows. */
const PIPELINED = 16

export interface HttpTarget {
  readonly server: Server
  readonly client: Socket
}

/** A server and a client that costs next to nothing: a socket that writes the bytes of requests and counts the answers. */
export async function make(): Promise<HttpTarget> {
  const server = createServer((_request, response) => {
    response.end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(client, 'connect')
  return { server, client: client.setNoDelay(true) }
}

export function use({ client }: HttpTarget): (last: unknown) => unknown {
  const requests = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(PIPELINED))
  let missing = 0
  let done: (value: unknown) => void = () => undefined
  client.setEncoding('latin1').on('data', (text: string) => {
    missing -= text.split('HTTP/1.1 200').length - 1
    if (missing === 0) done(text)
  })
  return () =>
    new Promise((resolve) => {
      missing = PIPELINED
      done = resolve
      client.write(requests)
    })
}

export function dispose({ server, client }: HttpTarget): void {
  client.destroy()
  server.close()
}
