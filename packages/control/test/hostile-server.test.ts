import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { connect, type ControlClient } from '../src/index.js'
import { TOKEN } from './support.js'

const HELLO = JSON.stringify({ type: 'hello', connection: 'x', info: { seed: '1', maxLeaseMs: 1 } })

/** A client of a server that says hello and then whatever it likes. */
async function clientOf(
  listener: RequestListener,
  greet: (socket: WebSocket) => void = () => undefined,
): Promise<ControlClient> {
  const server = createServer(listener)
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.send(HELLO)
    greet(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const client = await connect(
    { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/chaos`, token: TOKEN },
    { requestTimeoutMs: 5_000 },
  )
  onTestFinished(() => client.close())
  return client
}

const answering =
  (body: string, status = 200, headers: Record<string, string> = {}): RequestListener =>
  (_req, res) =>
    void res.writeHead(status, headers).end(body)
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const unreachable = { code: 'CHAOS_ENDPOINT_UNREACHABLE' }

describe('a server that answers anything', () => {
  it.each<[string, RequestListener]>([
    [
      'an endless body',
      (_req, res) => {
        const more = (): void => {
          if (!res.destroyed && res.write(Buffer.alloc(1_048_576, 32))) setImmediate(more)
        }
        res.on('drain', more).writeHead(200)
        more()
      },
    ],
    ['deep nesting', answering(nested(1_000_000))],
    ['a million targets', answering(JSON.stringify(Array.from({ length: 1_000_000 }, () => 1)))],
    ['targets of the wrong type', answering('[{"name":{"toString":1},"faults":"x"}]')],
    ['null', answering('null')],
    ['nothing', answering('')],
    ['a redirect to itself', answering('', 302, { location: '/chaos/targets' })],
    [
      'half a document',
      (_req, res) => void res.writeHead(200, { 'content-length': '100' }).write('[', () => res.destroy()),
    ],
  ])('is refused: %s', async (_what, listener) => {
    const client = await clientOf(listener)
    const refused = client.targets()
    await expect(refused).rejects.toMatchObject(unreachable)
    expect(String(await refused.catch((error: unknown) => error)).length).toBeLessThan(3_000)
  })

  it('has its errors cut and made harmless', async () => {
    const client = await clientOf(
      answering(
        JSON.stringify({ error: { code: 'CHAOS_DISABLED', message: `\u001b[2J${'x'.repeat(1_000_000)}` } }),
        403,
      ),
    )
    const refused = client.targets()
    await expect(refused).rejects.toMatchObject({ code: 'CHAOS_DISABLED' })
    const said = await refused.then(
      () => '',
      (error: unknown) => (error as Error).message,
    )
    expect(said).toContain('\\u001b[2J')
    expect(said.length).toBeLessThan(3_000)
    const odd = await clientOf(
      answering(JSON.stringify({ error: { code: `CHAOS_\n${'X'.repeat(10_000)}`, message: '' } }), 400),
    )
    await expect(odd.targets()).rejects.toMatchObject(unreachable)
  })

  it('puts nothing into a prototype', async () => {
    const client = await clientOf(
      answering('[{"name":"bus","faults":[],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]'),
    )
    const [target] = await client.targets()
    expect(target?.name).toBe('bus')
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  it('is left when a frame of it is larger than any that is taken', async () => {
    const client = await clientOf(answering('[]'), (socket) => socket.send(Buffer.alloc(20 * 1_024 * 1_024, 32)))
    await client.closed
    await expect(client.targets()).rejects.toMatchObject(unreachable)
  })

  it('is not heard when its frames are no messages', async () => {
    let rest: WebSocket | undefined
    const client = await clientOf(answering('[]'), (socket) => (rest = socket))
    const heard: unknown[] = []
    client.follow((entry) => heard.push(entry))
    for (const frame of [
      nested(100_000),
      '{"type":"entry","entry":{"type":"hit"}}',
      '{"type":"app-event","event":{"topic":1}}',
      '{"type":"dropped","hits":"many"}',
      'null',
      '{"__proto__":1}',
    ])
      rest?.send(frame)
    rest?.send(JSON.stringify({ type: 'entry', entry: { type: 'hit', at: 1, id: 'a', operation: 'b', call: 1 } }))
    await new Promise<void>((resolve) => client.follow(() => resolve()))
    expect(heard).toHaveLength(1)
  })
})
