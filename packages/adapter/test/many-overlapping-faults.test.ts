import { inject, withFault, type Fault, type Injection } from '@chaos/core'
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  answerRequests,
  corruptResponses,
  cutResponses,
  delayRequests,
  hangRequests,
  hangResponses,
  slowResponses,
} from '../src/http/index.js'
import { delayConnections, hangConnections } from '../src/net/index.js'
import { askings } from './http-clients.js'
import { serve } from './http.js'
import { listen } from './tcp.js'

/** More than the listeners of one event that Node.js allows without a warning. */
const MANY = 12

const warnings: string[] = []
const onWarning = ({ message }: Error): void => void warnings.push(message)
beforeAll(() => void process.on('warning', onWarning))
afterAll(() => void process.off('warning', onWarning))
beforeEach(() => void warnings.splice(0))

/** Node.js tells of a warning a moment later. */
const told = async (): Promise<readonly string[]> => {
  await new Promise((resolve) => setImmediate(resolve))
  return warnings
}

/** Injects a fault many times, lets the target be used, and ends the faults. */
async function many<Target extends object>(
  fault: Fault<Target>,
  target: Target,
  use: () => Promise<unknown>,
): Promise<void> {
  const injections: Injection[] = []
  for (let nth = 0; nth < MANY; nth += 1) injections.push(await inject(fault, target))
  const used = use()
  await expect.poll(() => injections.some(({ affected }) => affected > 0)).toBe(true)
  await Promise.all(injections.map(async (injection) => injection.rollback()))
  await used
}

describe('Node.js does not warn of listeners, though many faults overlap:', () => {
  const faults = [
    answerRequests({ answer: 'http/500', afterMs: 1 }),
    delayRequests({ delayMs: 1 }),
    hangRequests(),
    slowResponses({ delayMs: 1 }),
    hangResponses(),
    hangResponses({ afterBytes: 1 }),
    corruptResponses({ damage: 'empty' }),
    cutResponses(),
  ]
  const matrix = Object.entries(askings).flatMap(([name, asking]) =>
    faults.map((fault) => ({ name, asking, fault, title: `${fault.name} at ${name}` })),
  )
  it.each(matrix)('$title', async ({ asking, fault }) => {
    const server = await serve()
    await many(fault, asking.target(server), async () => asking.ask(server.origin).catch(() => undefined))
    expect(await told()).toEqual([])
  })

  it.each([hangConnections(), delayConnections({ delayMs: 1 })])('$name, and no listener stays', async (fault) => {
    const { port } = await listen()
    let socket = new net.Socket()
    const before = socket.listenerCount('close')
    await many(fault, net, async () => {
      socket = net.connect(port, '127.0.0.1')
      await once(socket, 'connect')
    })
    expect(socket.listenerCount('close')).toBe(before)
    socket.destroy()
    expect(await told()).toEqual([])
  })

  it('many requests of a session of HTTP/2 that connects', async () => {
    const server = http2.createServer((_request, response) => void response.end('answer')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    await withFault(delayRequests({ delayMs: 1 }), http2, async () => {
      const session = http2.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`)
      const streams = Array.from({ length: MANY }, () => session.request().resume())
      await Promise.all(streams.map(async (stream) => once(stream, 'close')))
      session.destroy()
    })
    expect(await told()).toEqual([])
  })
})
