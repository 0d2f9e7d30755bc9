import { createHash } from 'node:crypto'
import http, { type IncomingMessage, type RequestListener } from 'node:http'
import type { Injection } from '@chaos/core'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { isBalanced } from '../../test/tcp.js'
import { httpInForce, settled, startHttpScene } from '../../test/http.js'
import { abortRequests, answerRequests, cutBodies, delayRequests, hangRequests, trickleBodies } from './index.js'

/** What a client sends. */
interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  /** The sizes of the pieces of the body. */
  readonly pieces: readonly number[]
  readonly isChunked: boolean
}

/** What the service answers. */
interface Answered {
  readonly status: number
  readonly pieces: readonly number[]
  readonly isChunked: boolean
  readonly hasTrailers: boolean
}

const word = fc.stringMatching(/^[a-z\d]{1,8}$/)
const headers = fc.array(
  fc.tuple(fc.stringMatching(/^[Xx]-[a-zA-Z]{1,3}$/), fc.stringMatching(/^[!-~\xa1-\xff]{0,20}$/)),
  {
    maxLength: 6,
  },
)
const pieces = fc.array(fc.oneof(fc.nat(20), fc.nat(100_000)), { maxLength: 4 })
const sent: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'SEARCH'),
  path: fc.tuple(fc.array(word, { maxLength: 3 }), word).map(([parts, query]) => `/${parts.join('/')}?q=${query}`),
  headers,
  pieces,
  isChunked: fc.boolean(),
})
const answered: fc.Arbitrary<Answered> = fc.record({
  status: fc.constantFrom(200, 201, 204, 301, 304, 404, 500, 299),
  pieces,
  isChunked: fc.boolean(),
  hasTrailers: fc.boolean(),
})

const piece = (length: number, seed: number): Buffer => Buffer.alloc(length, `${seed}:${length};`)
const digest = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex')
const totalOf = (sizes: readonly number[]): number => sizes.reduce((sum, one) => sum + one, 0)

/** Everything that a message says, without what is for one connection. */
async function contentOf(message: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const lines = message.rawHeaders.map((one, at) =>
    message.rawHeaders[at - (at % 2)] === 'Host' && at % 2 === 1 ? '' : one,
  )
  return {
    line: [message.method, message.url, message.statusCode, message.statusMessage],
    headers: lines.filter((_one, at) => !/^(connection|keep-alive|date)$/i.test(lines[at - (at % 2)] as string)),
    body: digest(Buffer.concat(chunks)),
    trailers: message.rawTrailers,
  }
}

async function send(
  port: number,
  { method, path, headers: pairs, pieces: sizes, isChunked }: Sent,
  agent: http.Agent,
): Promise<Record<string, unknown>> {
  const lines = ['Host', 'a', ...pairs.flat()]
  if (isChunked) lines.push('Transfer-Encoding', 'chunked')
  else if (sizes.length > 0) lines.push('Content-Length', String(totalOf(sizes)))
  // Node.js sends a list of names and values as it is.
  const request = http.request({ host: '127.0.0.1', port, method, path, agent, headers: lines as never })
  const answer = new Promise<IncomingMessage>((resolve, reject) => request.on('response', resolve).on('error', reject))
  for (const [seed, size] of sizes.entries()) request.write(piece(size, seed))
  request.end()
  return contentOf(await answer)
}

function service(answers: { next: Answered }, got: Record<string, unknown>[]): RequestListener {
  return (request, response) => {
    const { status, pieces: sizes, isChunked, hasTrailers } = answers.next
    const hasBody = status !== 204 && status !== 304 && request.method !== 'HEAD'
    const lines = ['X-Fixed', '1', 'x-fixed', '2']
    if (hasTrailers && isChunked && hasBody) lines.push('Trailer', 'X-Sum')
    if (!isChunked && status !== 204) lines.push('Content-Length', String(totalOf(sizes)))
    void contentOf(request).then((content) => {
      got.push(content)
      response.writeHead(status, lines)
      if (hasBody) for (const [seed, size] of sizes.entries()) response.write(piece(size, seed))
      if (hasTrailers && isChunked && hasBody) response.addTrailers([['X-Sum', '42']])
      response.end()
    })
  }
}

it('passes every request and every answer on as they are', async () => {
  const answers = { next: undefined as unknown as Answered }
  const got: Record<string, unknown>[] = []
  const { service: direct, proxy } = await startHttpScene(service(answers, got))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  await fc.assert(
    fc.asyncProperty(sent, answered, async (what, answer) => {
      answers.next = answer
      got.length = 0
      const expected = await send(direct.port, what, agent)
      const received = await send(proxy.port, what, agent)
      expect(received).toEqual(expected)
      // What Node.js sends as an empty body in chunks, the proxy need not.
      expect(got[1]).toEqual(got[0])
      await settled(proxy)
      expect(isBalanced(proxy.counters.upstream) && isBalanced(proxy.counters.downstream)).toBe(true)
    }),
    { numRuns: 150 },
  )
  const { outcomes, requests, upstream, downstream } = proxy.counters
  expect(outcomes.answered).toBe(requests)
  expect([upstream.bytesDropped, upstream.bytesHeld, downstream.bytesDropped, downstream.bytesHeld]).toEqual([
    0, 0, 0, 0,
  ])
})

it('accounts for every request and every byte under any mix of faults', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        rate: fc.double({ min: 0, max: 1, noNaN: true }),
        seed: fc.nat(),
        n: fc.nat(50_000),
        up: fc.nat(200_000),
      }),
      async ({ rate, seed, n, up }) => {
        const { proxy } = await startHttpScene()
        const reached = seed % 2 === 0 ? 'never' : 'upstream'
        const faults = [
          delayRequests({ delayMs: 1 }),
          abortRequests({ how: 'close', reached }),
          answerRequests({ reached }),
          cutBodies({ afterBytes: n, stream: 'upstream' }),
          cutBodies({ afterBytes: n }),
          trickleBodies({ pieceBytes: 10_000, everyMs: 1 }),
          hangRequests({ reached }),
        ]
        const injections: Injection[] = []
        for (const fault of faults) injections.push(await httpInForce(fault, proxy, { rate: rate / 3, seed }))
        const agent = new http.Agent({ keepAlive: true })
        const what = { method: 'POST', path: '/', headers: [], pieces: [up], isChunked: false }
        const ends = Array.from({ length: 12 }, () => send(proxy.port, what, agent).catch(() => undefined))
        const check = (): void => {
          const { requests, live, outcomes, upstream, downstream } = proxy.counters
          expect(requests).toBe(live + Object.values(outcomes).reduce((sum, one) => sum + one))
          expect(isBalanced(upstream) && isBalanced(downstream)).toBe(true)
          for (const { seen, affected, passed } of injections) expect(seen).toBe(affected + passed)
        }
        check()
        await new Promise((resolve) => setTimeout(resolve, seed % 10))
        check()
        for (const injection of injections) await injection.rollback()
        await Promise.all(ends)
        await settled(proxy)
        check()
        expect([proxy.counters.live, proxy.counters.upstream.bytesHeld, proxy.counters.downstream.bytesHeld]).toEqual([
          0, 0, 0,
        ])
        const { outcomes } = proxy.counters
        const [, aborted, answeredByFault, cutUp, cutDown] = injections
        expect(outcomes.injected).toBe(answeredByFault?.affected)
        expect(outcomes.cut).toBe((aborted?.affected ?? 0) + (cutUp?.affected ?? 0) + (cutDown?.affected ?? 0))
        agent.destroy()
        await proxy.close()
      },
    ),
    { numRuns: 40 },
  ))
