import { withFault } from '@chaos/core'
import { Agent, RetryAgent } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { corruptResponses, cutResponses, hangResponses, slowResponses } from '../src/http/index.js'
import { serve } from './http.js'

const words = ['The', ' cat', ' sat', ' on', ' the', ' mat', '.']

/** A model that speaks as those of OpenAI do: an event for each token, then `[DONE]`. */
async function model(): Promise<string> {
  const { origin } = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const events = [
      ...words.map((content) => JSON.stringify({ choices: [{ index: 0, delta: { content } }] })),
      '[DONE]',
    ]
    const say = (): void => {
      const event = events.shift()
      if (event === undefined) response.end()
      else response.write(`data: ${event}\n\n`, () => setImmediate(say))
    }
    say()
  })
  return `${origin}/v1/chat/completions`
}

/** What a client of such a stream does: lines to events, events to tokens. */
async function* tokens(url: string, signal?: AbortSignal): AsyncGenerator<string> {
  const response = await fetch(url, {
    method: 'POST',
    body: '{"stream":true}',
    ...(signal === undefined ? {} : { signal }),
  })
  let rest = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + Buffer.from(chunk).toString()).split('\n\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === 'data: [DONE]') return
      const { choices } = JSON.parse(line.slice('data: '.length)) as { choices: [{ delta: { content: string } }] }
      yield choices[0].delta.content
    }
  }
  throw new Error('Expected [DONE], the stream ended.')
}

/** What was heard, and how it ended. */
async function heard(
  url: string,
  signal?: AbortSignal,
  onToken: (said: string) => void = () => undefined,
): Promise<{ readonly said: string; readonly error?: Error }> {
  let said = ''
  try {
    for await (const token of tokens(url, signal)) onToken((said += token))
    return { said }
  } catch (error) {
    return { said, error: error as Error }
  }
}

describe('a stream of tokens over fetch', () => {
  it("stalls in the middle, and ends with the reason of its caller's signal", async () => {
    const url = await model()
    await withFault(
      hangResponses({ afterBytes: 150 }),
      globalThis,
      { only: 'POST */v1/chat/completions' },
      async () => {
        const controller = new AbortController()
        const reason = new Error('too quiet')
        const { said, error } = await heard(url, controller.signal, (soFar) => {
          if (soFar === 'The cat') controller.abort(reason)
        })
        expect([said, error]).toEqual(['The cat', reason])
      },
    )
    expect(await heard(url)).toEqual({ said: words.join('') })
  })

  it('is cut in the middle by a server that dies, or ends before it should', async () => {
    const url = await model()
    const reset = await withFault(cutResponses({ afterBytes: 150 }), globalThis, () => heard(url))
    expect(reset).toMatchObject({
      said: 'The cat',
      error: { name: 'TypeError', message: 'terminated', cause: { code: 'ECONNRESET' } },
    })
    const ended = await withFault(cutResponses({ afterBytes: 150, how: 'end' }), globalThis, () => heard(url))
    expect(ended).toMatchObject({
      said: 'The cat',
      error: {
        name: 'TypeError',
        message: 'terminated',
        cause: { code: 'UND_ERR_SOCKET', message: 'other side closed' },
      },
    })
  })

  it('has an event that is damaged', async () => {
    const url = await model()
    const { said, error } = await withFault(
      corruptResponses({ damage: 'truncate' }),
      globalThis,
      {
        skip: 2,
        limitPerOperation: 1,
      },
      () => heard(url),
    )
    expect(words.join('').startsWith(said)).toBe(true)
    expect(error).toBeInstanceOf(SyntaxError)
  })

  it('comes in pieces that cut events in two, and is read all the same', async () => {
    const url = await model()
    expect(await withFault(slowResponses({ delayMs: 0, pieceBytes: 11 }), globalThis, () => heard(url))).toEqual({
      said: words.join(''),
    })
  })
})

describe("undici's RetryAgent", () => {
  /** What it makes of a server whose first answer breaks after so many bytes: by itself, or by a fault. */
  async function story(breaks: 'really' | 'injected', afterBytes: number): Promise<readonly unknown[]> {
    const agent = new Agent()
    const retrying = new RetryAgent(agent, { minTimeout: 1, timeoutFactor: 1 })
    onTestFinished(() => retrying.close())
    const ranges: unknown[] = []
    const { origin } = await serve((request, response) => {
      ranges.push(request.headers.range)
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
      response.writeHead(from === 0 ? 200 : 206, {
        etag: '"one"',
        'content-length': 12 - from,
        ...(from === 0 ? {} : { 'content-range': `bytes ${from}-11/12` }),
      })
      if (breaks === 'injected' || ranges.length > 1) response.end('hello, world'.slice(from))
      else if (afterBytes === 0) request.socket.resetAndDestroy()
      // The client is in this process, and reads between two turns.
      else response.write('hello', () => setImmediate(() => setImmediate(() => request.socket.resetAndDestroy())))
    })
    const ask = async (): Promise<string> => {
      const { body } = await retrying.request({ origin, path: '/', method: 'GET' })
      return body.text()
    }
    return [
      breaks === 'really' ? await ask() : await withFault(cutResponses({ afterBytes }), agent, { limit: 1 }, ask),
      ranges,
    ]
  }

  it.each([0, 5])(
    'asks again, for the rest, when a connection is reset after %i bytes of a body, as with a real one',
    async (afterBytes) => {
      const real = await story('really', afterBytes)
      expect(await story('injected', afterBytes)).toEqual(real)
      expect(real).toEqual(['hello, world', afterBytes === 0 ? [undefined, undefined] : [undefined, 'bytes=5-11']])
    },
  )
})
