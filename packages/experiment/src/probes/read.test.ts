import type { RequestListener, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { systemClock } from '@chaos/core/authoring'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { serve, serveAnswers } from '../../test/support.js'
import type { Probe } from './probe-types.js'
import { probeReader, type Sample } from './read.js'

const clock = manualClock(5_000)
const readOnce = (probe: Probe): Promise<Sample> => probeReader(probe, clock)()
const good = { above: 0 }

describe('a probe of an HTTP answer', () => {
  it('reads whether the status is the expected one', async () => {
    const url = await serve((request, response) => response.writeHead(request.url === '/healthz' ? 200 : 503).end('x'))
    expect(await readOnce({ name: 'up', type: 'http', url: `${url}/healthz` })).toEqual({
      n: 0,
      askedAt: 5_000,
      at: 5_000,
      value: 1,
      isGood: true,
      quality: 'measured',
    })
    expect(await readOnce({ name: 'up', type: 'http', url: `${url}/other` })).toEqual({
      n: 0,
      askedAt: 5_000,
      at: 5_000,
      value: 0,
      isGood: false,
      quality: 'measured',
    })
    expect(await readOnce({ name: 'up', type: 'http', url: `${url}/other`, status: 503 })).toMatchObject({
      isGood: true,
    })
  })

  it('wants all of the answer, and not its status alone', async () => {
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('x')
      if (request.url === '/cut') setImmediate(() => response.destroy())
    })
    expect(
      await probeReader({ name: 'up', type: 'http', url: `${url}/hangs`, timeoutMs: 100 }, systemClock)(),
    ).toMatchObject({ quality: 'none', isGood: false, problem: 'no answer within 100 ms' })
    expect(await probeReader({ name: 'up', type: 'http', url: `${url}/cut` }, systemClock)()).toMatchObject({
      quality: 'none',
      isGood: false,
    })
    const long = await serve((_request, response) => {
      const more = (): void => {
        while (response.writable && response.write('x'.repeat(100_000)));
      }
      response.on('drain', more)
      more()
    })
    expect(await probeReader({ name: 'up', type: 'http', url: long, timeoutMs: 20_000 }, systemClock)()).toMatchObject({
      value: 1,
      isGood: true,
    })
  })

  it('does not take the page that a redirect leads to for the answer', async () => {
    const url = await serve((request, response) =>
      response.writeHead(request.url === '/login' ? 200 : 302, { location: '/login' }).end(),
    )
    expect(await readOnce({ name: 'up', type: 'http', url: `${url}/healthz` })).toMatchObject({
      value: 0,
      isGood: false,
    })
    expect(await readOnce({ name: 'up', type: 'http', url: `${url}/healthz`, status: 302 })).toMatchObject({
      value: 1,
      isGood: true,
    })
  })

  it('reads a number of a JSON answer', async () => {
    const url = await serveAnswers({ '/': { loop: { hz: [99] }, ok: true, text: 'x' } })
    const at = (path: string): Promise<Sample> =>
      readOnce({ name: 'hz', type: 'http', url, path, tolerance: { atLeast: 1 } })
    expect(await at('loop.hz.0')).toMatchObject({ value: 99, isGood: true })
    expect(await at('ok')).toMatchObject({ value: 1 })
    expect(await at('text')).toMatchObject({
      value: undefined,
      isGood: false,
      problem: 'expected a number at text, got string',
    })
    expect(await at('loop.hz.length')).toMatchObject({ value: 1 })
    expect(await at('constructor.length')).toMatchObject({
      problem: 'expected a number at constructor.length, got undefined',
    })
    expect(await at('__proto__.constructor.length')).toMatchObject({ quality: 'none' })
    expect(await at('not.there')).toMatchObject({ problem: 'expected a number at not.there, got undefined' })
  })

  it('does not take a number of an answer with another status', async () => {
    const url = await serve((_request, response) => response.writeHead(500).end('{"lost":0}'))
    expect(await readOnce({ name: 'lost', type: 'http', url, path: 'lost', tolerance: { equals: 0 } })).toMatchObject({
      value: undefined,
      isGood: false,
      problem: 'status 500',
    })
  })

  it('counts its readings without a hole, with or without data', async () => {
    const answers = [200, 500, 200]
    const url = await serve((_request, response) => void response.writeHead(answers.shift() ?? 200).end('{"a":1}'))
    const read = probeReader({ name: 'a', type: 'http', url, path: 'a', tolerance: good }, clock)
    expect([await read(), await read(), await read()].map(({ n, quality }) => [n, quality])).toEqual([
      [0, 'measured'],
      [1, 'none'],
      [2, 'measured'],
    ])
  })

  it('reads no longer answer than 10 MB, and none that drips', async () => {
    const long = await serve((_request, response) => {
      const more = (): void => {
        while (response.writable && response.write('x'.repeat(100_000)));
      }
      response.on('drain', more)
      more()
    })
    expect(
      await probeReader(
        { name: 'a', type: 'http', url: long, path: 'a', timeoutMs: 20_000, tolerance: good },
        systemClock,
      )(),
    ).toMatchObject({ quality: 'none', problem: 'the answer is larger than 10000000 bytes' })
    const drip = await serve((_request, response) => {
      const timer = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(timer))
    })
    expect(
      await probeReader(
        { name: 'a', type: 'http', url: drip, path: 'a', timeoutMs: 100, tolerance: good },
        systemClock,
      )(),
    ).toMatchObject({ quality: 'none', problem: 'no answer within 100 ms' })
  })

  it('shows what came without what moves a cursor', async () => {
    const url = await serveAnswers({ '/': '\u001b[2Jno\nJSON\u202e' })
    expect((await readOnce({ name: 'a', type: 'http', url, path: 'a', tolerance: good })).problem).toBe(
      'expected JSON, got "\uFFFD[2Jno JSON\uFFFD"',
    )
  })

  it('says why nobody answers', async () => {
    expect(await readOnce({ name: 'up', type: 'http', url: 'http://127.0.0.1:1/' })).toMatchObject({
      isGood: false,
      problem: expect.stringMatching(/fetch failed: (connect ECONNREFUSED|bad port)/) as string,
    })
  })
})

describe('a probe of a metrics page', () => {
  it('reads its series', async () => {
    const url = await serveAnswers({ '/metrics': 'hz{worker="loop"} 99.5\n' })
    expect(
      await readOnce({ name: 'hz', type: 'metric', url: `${url}/metrics`, series: 'hz', tolerance: { atLeast: 95 } }),
    ).toMatchObject({ value: 99.5, isGood: true })
    expect(
      await readOnce({ name: 'hz', type: 'metric', url: `${url}/none`, series: 'hz', tolerance: good }),
    ).toMatchObject({ isGood: false, problem: 'status 404' })
  })

  it('does not read the page of another process, where a redirect leads to one', async () => {
    const other = await serveAnswers({ '/metrics': 'hz 99\n' })
    const url = await serve((request, response) => {
      if (request.url === '/metrics/') response.end('hz 98\n')
      else response.writeHead(302, { location: request.url === '/metrics' ? '/metrics/' : `${other}/metrics` }).end()
    })
    const at = (path: string): Promise<Sample> =>
      readOnce({ name: 'hz', type: 'metric', url: `${url}${path}`, series: 'hz', tolerance: good })
    expect(await at('/metrics')).toMatchObject({ value: 98 })
    expect(await at('/elsewhere')).toMatchObject({
      quality: 'none',
      problem: `the page redirects to ${other}, which may belong to another process`,
    })
  })

  const page = (text: string): string => `# TYPE calls counter\ncalls{n="1"} 1234\n${text}`
  const readCalls = (listener: RequestListener): Promise<Sample> =>
    serve(listener).then((url) =>
      readOnce({ name: 'calls', type: 'metric', url, series: 'calls', reduce: 'sum', tolerance: good }),
    )

  it.each(['gzip', 'identity'] as const)('reads one that comes as %s', async (encoding) => {
    const text = page('calls{n="2"} 1')
    expect(
      await readCalls(
        (_request, response) =>
          void response
            .writeHead(200, { 'content-encoding': encoding })
            .end(encoding === 'gzip' ? gzipSync(`${text}\n`) : text),
      ),
    ).toMatchObject({ value: 1_235 })
  })

  it.each([
    [
      'that is OpenMetrics, however its type is spelt',
      (response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'Application/OpenMetrics-Text; version=1.0.0' }).end(page('')),
    ],
    [
      'that is compressed',
      (response: ServerResponse) => {
        const whole = gzipSync(
          page(Array.from({ length: 500 }, (_, n) => `calls{n="${n + 2}"} ${n * 7_919}\n`).join('')),
        )
        const half = whole.subarray(0, whole.length >> 1)
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': half.length }).end(half)
      },
    ],
    [
      'that ends with its connection',
      (response: ServerResponse) => void response.socket?.end(`HTTP/1.0 200 OK\r\n\r\n${page('calls{n="2"} 12')}`),
    ],
    [
      'whose connection breaks',
      (response: ServerResponse) =>
        response.writeHead(200, { 'content-length': 5_000 }).write(page(''), () => response.destroy()),
    ],
  ])('reads nothing of half a page %s', async (_title, answer) => {
    expect(await readCalls((_request, response) => answer(response))).toMatchObject({
      value: undefined,
      quality: 'none',
      problem: expect.stringMatching(/cut short|terminated/) as string,
    })
  })

  it('asks for a page as it is, so that half of it shows', async () => {
    let asked: string | undefined
    await readCalls((request, response) => {
      asked = request.headers['accept-encoding']
      response.end(page(''))
    })
    expect(asked).toBe('identity')
  })
})

describe('a probe of Prometheus', () => {
  const asking = async (
    data: unknown,
    more: Partial<Probe> = {},
    others: Readonly<Record<string, unknown>> = {},
  ): Promise<Sample> => {
    const url = await serve((request, response) => {
      const query = new URL(request.url ?? '', 'http://localhost').searchParams.get('query') ?? ''
      response.end(JSON.stringify({ status: 'success', data: query in others ? others[query] : data }))
    })
    return readOnce({
      name: 'q',
      type: 'prometheus',
      url: `${url}/`,
      query: 'a / b',
      tolerance: { atMost: 1 },
      ...more,
    } as Probe)
  }

  it.each([
    ['a vector', { resultType: 'vector', result: [{ metric: {}, value: [1, '0.5'] }] }, { value: 0.5, isGood: true }],
    ['a scalar', { resultType: 'scalar', result: [1, '0.5'] }, { value: 0.5 }],
    ['infinity', { resultType: 'scalar', result: [1, '+Inf'] }, { value: Number.POSITIVE_INFINITY, isGood: false }],
    [
      'nothing',
      { resultType: 'vector', result: [] },
      { value: undefined, isGood: false, problem: 'no data for a / b' },
    ],
    [
      'NaN',
      { resultType: 'vector', result: [{ metric: {}, value: [1, 'NaN'] }] },
      { value: undefined, isGood: false, quality: 'none' },
    ],
    [
      'one of several, although the others are NaN',
      { resultType: 'vector', result: [{ value: [1, '1'] }, { value: [1, 'NaN'] }] },
      { value: undefined, problem: 'expected one value for a / b, got 2' },
    ],
    [
      'a range',
      { resultType: 'matrix', result: [] },
      { value: undefined, problem: 'expected a number for a / b, got a matrix' },
    ],
    [
      'a text',
      { resultType: 'string', result: [1, '5'] },
      { value: undefined, problem: 'expected a number for a / b, got a string' },
    ],
    ['a value that is no number', { resultType: 'vector', result: [{ value: [1, '0x10'] }] }, { value: undefined }],
    ['a value that is empty', { resultType: 'vector', result: [{ value: [1, ''] }] }, { value: undefined }],
    [
      'several',
      { resultType: 'vector', result: [{ value: [1, '1'] }, { value: [1, '2'] }] },
      { value: undefined, problem: 'expected one value for a / b, got 2' },
    ],
    ['an answer that is none', undefined, { value: undefined, isGood: false }],
    ['a sample without a value', { resultType: 'vector', result: [{}] }, { value: undefined, isGood: false }],
  ])('reads %s', async (_title, data, expected) => {
    expect(await asking(data)).toMatchObject(expected)
  })

  const NOTHING = { resultType: 'vector', result: [] }
  const SOMETHING = { resultType: 'vector', result: [{ value: [1, '5'] }] }

  it('takes 0 divided by 0 for what `emptyIs` says', async () => {
    expect(await asking({ resultType: 'vector', result: [{ value: [1, 'NaN'] }] }, { emptyIs: 0 })).toMatchObject({
      value: 0,
      isGood: true,
      quality: 'idle',
    })
  })

  it('takes nothing for what `emptyIs` says only while `existsQuery` has a result', async () => {
    expect(await asking(NOTHING, { emptyIs: 0 })).toMatchObject({
      quality: 'none',
      problem: expect.stringContaining('add an `existsQuery`') as string,
    })
    expect(await asking(NOTHING, { emptyIs: 0, existsQuery: 'count(a)' }, { 'count(a)': SOMETHING })).toMatchObject({
      value: 0,
      isGood: true,
      quality: 'idle',
    })
    expect(await asking(NOTHING, { emptyIs: 0, existsQuery: 'count(a)' })).toMatchObject({
      quality: 'none',
      problem: 'no data for a / b, nor for its `existsQuery` count(a)',
    })
    expect(await asking(SOMETHING, { existsQuery: 'count(a)' })).toMatchObject({ value: 5, quality: 'measured' })
  })

  it.each([
    ['an answer that is no answer of Prometheus', {}],
    ['an error', { status: 'error', error: 'overloaded' }],
    [
      'a value of which a part may be missing',
      { status: 'success', data: SOMETHING, warnings: ['a store did not answer'] },
    ],
    ['a result that may not be whole', { status: 'success', data: NOTHING, warnings: ['a store did not answer'] }],
    ['a value that is no number', { status: 'success', data: { resultType: 'vector', result: [{ value: [1, 'x'] }] } }],
  ])('never takes %s for what `emptyIs` says', async (_title, answer) => {
    const url = await serve((_request, response) => response.end(JSON.stringify(answer)))
    expect(
      await readOnce({
        name: 'q',
        type: 'prometheus',
        url,
        query: 'a / b',
        emptyIs: 0,
        existsQuery: 'a',
        tolerance: good,
      }),
    ).toMatchObject({ value: undefined, quality: 'none' })
  })

  it('takes a value for what it is although something is remarked of it that makes it no less whole', async () => {
    const url = await serve((_request, response) =>
      response.end(
        JSON.stringify({
          status: 'success',
          data: SOMETHING,
          warnings: ['PromQL info: metric might not be a counter'],
        }),
      ),
    )
    expect(await readOnce({ name: 'q', type: 'prometheus', url, query: 'rate(a[5s])', tolerance: good })).toMatchObject(
      { value: 5, quality: 'measured' },
    )
  })

  it('says when a plain series was scraped, and nothing of what was computed', async () => {
    const stamp = { 'timestamp(up{job="a"})': { resultType: 'vector', result: [{ value: [9, '7.5'] }] } }
    expect(await asking(SOMETHING, { query: 'up{job="a"}' }, stamp)).toMatchObject({ value: 5, dataAt: 7_500 })
    expect(await asking(SOMETHING, { query: 'sum(up)' }, stamp)).not.toHaveProperty('dataAt')
  })

  it('asks for exactly its query', async () => {
    let asked = ''
    const url = await serve((request, response) => {
      asked = decodeURIComponent(request.url ?? '')
      response.end('{}')
    })
    await readOnce({ name: 'q', type: 'prometheus', url, query: 'sum(rate(x{a="b&c"}[5s]))', tolerance: good })
    expect(asked).toBe('/api/v1/query?query=sum(rate(x{a="b&c"}[5s]))')
  })
})

describe('a probe that is a function', () => {
  it('reads its number, also when it comes later', async () => {
    expect(await readOnce({ name: 'f', type: 'function', read: () => 7, tolerance: good })).toMatchObject({
      value: 7,
      isGood: true,
    })
    expect(
      await readOnce({ name: 'f', type: 'function', read: () => Promise.resolve(0), tolerance: good }),
    ).toMatchObject({ value: 0, isGood: false })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
      'no',
    ],
    ['rejects', () => Promise.reject(new Error('no')), 'no'],
    ['gives NaN', () => Number.NaN, 'expected a number at f, got NaN'],
    ['gives no number', () => 'x' as unknown as number, 'expected a number at f, got string'],
  ])('has no data when it %s', async (_title, read, problem) => {
    expect(await readOnce({ name: 'f', type: 'function', read, tolerance: good })).toEqual({
      n: 0,
      askedAt: 5_000,
      at: 5_000,
      value: undefined,
      isGood: false,
      quality: 'none',
      problem,
    })
  })
})

describe('a time limit', () => {
  const never = (timeoutMs?: number): Probe => ({
    name: 'f',
    type: 'function',
    read: () => new Promise<number>(() => undefined),
    tolerance: good,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })

  it.each([
    [100, 100],
    [undefined, 2_000],
  ])('of %s ms makes no answer no data', async (timeoutMs, expected) => {
    const own = manualClock()
    const reading = probeReader(never(timeoutMs), own)()
    await own.advance(expected)
    expect(await reading).toEqual({
      n: 0,
      askedAt: 0,
      at: expected,
      value: undefined,
      isGood: false,
      quality: 'none',
      problem: `no answer within ${expected} ms`,
    })
    expect(own.pending).toBe(0)
  })

  it('ends the request as well', async () => {
    let hungUp: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (hungUp = resolve))
    let arrive: () => void = () => undefined
    const arrived = new Promise<void>((resolve) => (arrive = resolve))
    const url = await serve((_request, response) => {
      response.on('close', () => hungUp())
      arrive()
    })
    // The time is over once the request has reached the server, however long that takes.
    const reading = probeReader(
      { name: 'slow', type: 'http', url, timeoutMs: 50 },
      {
        now: () => 0,
        after: (_ms, work) => {
          void arrived.then(work)
          return () => undefined
        },
      },
    )()
    expect(await reading).toMatchObject({ problem: 'no answer within 50 ms' })
    await ended
  })

  it('is not waited for when the run is over', async () => {
    const over = new AbortController()
    const reading = probeReader(never(), clock)(over.signal)
    over.abort()
    expect(await reading).toMatchObject({ value: undefined, problem: 'the run is over' })
    expect(await probeReader(never(), clock)(over.signal)).toMatchObject({ problem: 'the run is over' })
  })
})
