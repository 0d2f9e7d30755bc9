import { inject } from '@chaos/core'
import { faultContract } from '@chaos/core/testing'
import { once } from 'node:events'
import http from 'node:http'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { askings } from '../../../test/http-clients.js'
import { httpServer, serve } from '../../../test/http.js'
import { hangRequests } from './hang-requests.js'

describe('the contract', () => {
  let server: Awaited<ReturnType<typeof httpServer>>
  beforeAll(async () => (server = await httpServer((_request, response) => void response.end())))
  afterAll(() => server.close())

  const cases = faultContract<http.Agent>({
    fault: () => hangRequests(),
    target: () => new http.Agent(),
    touched: () => [http.Agent.prototype],
    exercise(agent, times) {
      for (let sent = 0; sent < times; sent += 1)
        http.get(server.origin, { agent }, (response) => void response.resume()).on('error', () => undefined)
    },
  })
  for (const { title, run } of cases) it(title, run)
})

describe.each(Object.entries(askings))('hangRequests, with %s', (_name, { target, ask }) => {
  it('gives no answer until it ends, then the real one', async () => {
    const server = await serve()
    const injection = await inject(hangRequests(), target(server), { limit: 1 })
    const [hanging, heard] = [ask(server.origin), vi.fn()]
    void hanging.then(heard)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    expect((await ask(server.origin)).text, 'the next one passes').toBe('answer')
    expect(heard).not.toHaveBeenCalled()
    await injection.rollback()
    expect((await hanging).text).toBe('answer')
  })
})

describe('hangRequests', () => {
  it("lets a client's own timeout act, and the service never gets that request", async () => {
    const server = await serve()
    const injection = await inject(hangRequests(), http)
    const request = http.get(server.origin)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    request.destroy(new Error('took too long'))
    expect(((await once(request, 'error').catch((error: unknown) => [error])) as unknown[])[0]).toMatchObject({
      message: 'took too long',
    })
    expect(injection.held).toBe(0)
    await injection.rollback()
    expect(server.requests).toEqual([])
  })

  it('forgets a request whose client has hung up, on a server', async () => {
    const server = await serve()
    const injection = await inject(hangRequests(), server.server)
    const request = http.get(server.origin).on('error', () => undefined)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    request.destroy()
    await vi.waitFor(() => expect(injection.held).toBe(0))
    await injection.rollback()
    expect(server.requests).toEqual([])
  })
})
