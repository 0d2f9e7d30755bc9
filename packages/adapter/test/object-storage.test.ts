import { injectedBy, withFault } from '@chaos/core'
import type http from 'node:http'
import { Agent, request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerRequests, cutResponses, delayRequests, hangRequests } from '../src/http/index.js'
import { serve } from './http.js'
import { rejection } from './rejection.js'

/** An object store in memory, as S3 and its likes speak. */
async function store(): Promise<{ readonly origin: string; readonly objects: ReadonlyMap<string, string> }> {
  const objects = new Map<string, string>()
  const answer = async (asked: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const key = asked.url ?? ''
    let body = ''
    for await (const chunk of asked) body += String(chunk)
    if (asked.method === 'PUT') objects.set(key, body)
    const found = objects.get(key)
    response
      .writeHead(found === undefined ? 404 : 200, { etag: `"${key}"` })
      .end(asked.method === 'GET' ? found : undefined)
  }
  const { origin } = await serve((asked, response) => void answer(asked, response).catch(() => undefined))
  return { origin, objects }
}

/** A client of such a store: by undici, with errors read from XML. */
class Bucket {
  readonly dispatcher = new Agent()
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
    onTestFinished(() => this.dispatcher.close())
  }

  async put(key: string, body: string, signal?: AbortSignal): Promise<void> {
    await this.#ask('PUT', key, signal, body)
  }

  get(key: string): Promise<string> {
    return this.#ask('GET', key)
  }

  async #ask(method: 'GET' | 'PUT', key: string, signal?: AbortSignal, body?: string): Promise<string> {
    const {
      statusCode,
      headers,
      body: answer,
    } = await request(`${this.#origin}/bucket/${key}`, {
      method,
      dispatcher: this.dispatcher,
      body: body ?? null,
      signal: signal ?? null,
    })
    const text = await answer.text()
    if (statusCode < 300) return text
    throw Object.assign(new Error(/<Message>(.*)<\/Message>/.exec(text)?.[1]), {
      name: /<Code>(.*)<\/Code>/.exec(text)?.[1],
      statusCode,
      retryAfter: headers['retry-after'],
    })
  }
}

describe('a client of an object store, by undici', () => {
  it('is asked to slow down, and the store gets nothing', async () => {
    const { origin, objects } = await store()
    const bucket = new Bucket(origin)
    const body =
      '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
    await withFault(answerRequests({ body, contentType: 'application/xml' }), bucket.dispatcher, async () => {
      expect(await rejection(bucket.put('a', '1'))).toMatchObject({
        name: 'SlowDown',
        message: 'Please reduce your request rate.',
        statusCode: 503,
        retryAfter: '1',
      })
      expect(await rejection(bucket.get('a'))).toMatchObject({ name: 'SlowDown' })
    })
    expect(objects.size).toBe(0)
    await bucket.put('a', '1')
    expect(await bucket.get('a')).toBe('1')
  })

  it('loses a reply: the object is there, and the caller hears an error', async () => {
    const { origin, objects } = await store()
    const bucket = new Bucket(origin)
    const error = await withFault(
      cutResponses(),
      bucket.dispatcher,
      {
        only: 'PUT */bucket/*',
      },
      () => rejection(bucket.put('a', '1')),
    )
    expect(error).toMatchObject({ code: 'ECONNRESET' })
    expect(injectedBy(error)).toBe('adapter/cut-responses')
    expect([...objects]).toEqual([['/bucket/a', '1']])
  })

  it('gives up on what hangs or is late, and the store never gets that', async () => {
    const { origin, objects } = await store()
    const bucket = new Bucket(origin)
    for (const fault of [hangRequests(), delayRequests({ delayMs: 60_000 })]) {
      await withFault(fault, bucket.dispatcher, async () => {
        expect(await rejection(bucket.put('a', '1', AbortSignal.timeout(5)))).toMatchObject({ name: 'TimeoutError' })
      })
    }
    expect(objects.size).toBe(0)
  })
})
