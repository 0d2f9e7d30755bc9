import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { stepOf } from './step.js'

const never = new AbortController().signal

async function serving(status: number): Promise<{ readonly url: string; readonly got: string[] }> {
  const got: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += String(chunk)))
    request.on('end', () => {
      got.push(`${request.method ?? ''} ${request.headers['content-type'] ?? ''} ${body}`)
      response.writeHead(status).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got }
}

describe('a step', () => {
  it('is a request with its method and body', async () => {
    const { url, got } = await serving(201)
    expect(await stepOf(`POST ${url}`, '{"n":1}').run(never)).toEqual({ isOk: true, answer: '201', detail: '' })
    await stepOf(url).run(never)
    expect(got).toEqual(['POST application/json {"n":1}', 'GET  '])
  })

  it('fails with a status from 400, or without an answer', async () => {
    const { url } = await serving(503)
    expect(await stepOf(url).run(never)).toMatchObject({ isOk: false, answer: '503' })
    expect(await stepOf('http://127.0.0.1:1/').run(never)).toMatchObject({ isOk: false })
  })

  it('is a command of the shell, judged by its exit code', async () => {
    expect(await stepOf('exit 0').run(never)).toMatchObject({ isOk: true, answer: 'exit 0' })
    expect(await stepOf('echo broken >&2 && exit 3').run(never)).toEqual({
      isOk: false,
      answer: 'exit 3',
      detail: 'broken',
    })
  })

  it('ends with its signal, and what the shell has started with it', async () => {
    const abort = new AbortController()
    // Two processes: the shell waits for the other.
    const running = stepOf('node -e "setInterval(() => {}, 1000)"; true').run(abort.signal)
    abort.abort(new Error('late'))
    await expect(running).rejects.toThrow('late')
  })
})
