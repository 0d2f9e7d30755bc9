import { once } from 'node:events'
import { lookup } from 'node:dns/promises'
import net from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { networkErrors } from './network.js'

/** Everything that can be told of an error from outside, but its stack. */
const seen = (error: Error): unknown => ({
  name: error.name,
  message: error.message,
  keys: Object.keys(error),
  values: Object.fromEntries(Object.entries(error)),
  constructor: error.constructor.name,
})

async function listen(onConnection: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer(onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as net.AddressInfo).port
}

async function errorOf(socket: net.Socket): Promise<Error> {
  onTestFinished(() => void socket.destroy())
  const [error] = (await once(socket, 'error').catch((reason: unknown) => [reason])) as [Error]
  return error
}

describe.runIf(process.platform === 'linux')('network errors, beside real ones', () => {
  it('ECONNREFUSED, from a closed port', async () => {
    const port = await listen(() => undefined)
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port: closed } = server.address() as net.AddressInfo
    server.close()
    await once(server, 'close')
    expect(closed).not.toBe(port)
    const real = await errorOf(net.connect(closed, '127.0.0.1'))
    expect(seen(networkErrors.ECONNREFUSED({ host: '127.0.0.1', port: closed }))).toEqual(seen(real))
  })

  it('ECONNRESET, from a peer that resets an open connection', async () => {
    const port = await listen((socket) => void socket.once('data', () => socket.resetAndDestroy()))
    const socket = net.connect(port, '127.0.0.1', () => void socket.write('x'))
    expect(seen(networkErrors.ECONNRESET())).toEqual(seen(await errorOf(socket)))
  })

  it('ENOTFOUND, from a name that cannot exist (a label longer than 63 letters is refused without asking anybody)', async () => {
    const host = `${'a'.repeat(70)}.invalid`
    const real = await lookup(host).catch((error: unknown) => error as Error)
    expect(seen(networkErrors.ENOTFOUND({ host, port: 0 }))).toEqual(seen(real as Error))
  })

  it('EPIPE, from writing to a peer that is gone', async () => {
    const port = await listen((socket) => socket.destroy())
    // Half open, and paused: nothing but a write can notice.
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).pause()
    await once(socket, 'connect')
    const writing = setInterval(() => void socket.write('x'), 5)
    onTestFinished(() => clearInterval(writing))
    expect(seen(networkErrors.EPIPE())).toEqual(seen(await errorOf(socket)))
  })
})
