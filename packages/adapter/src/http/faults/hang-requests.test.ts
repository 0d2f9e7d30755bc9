import { inject } from '@chaos/core'
import { once } from 'node:events'
import http from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { askings } from '../../../test/http-clients.js'
import { serve } from '../../../test/http.js'
import { hangRequests } from './hang-requests.js'

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
