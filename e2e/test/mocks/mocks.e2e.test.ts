import { answerRequests, delayRequests } from '@chaos/adapter/http'
import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import { http as route, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import nock from 'nock'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

const ORIGIN = 'http://mocked.test'

/** A mock of one library. */
interface Mock {
  readonly install: () => void
  readonly uninstall: () => void
  /** How many requests the mock got. */
  readonly got: () => number
}

function mswMock(): Mock {
  let got = 0
  const server = setupServer(
    route.get(`${ORIGIN}/items`, () => {
      got += 1
      return HttpResponse.text('mocked')
    }),
  )
  return {
    install: () => server.listen({ onUnhandledRequest: 'bypass' }),
    uninstall: () => server.close(),
    got: () => got,
  }
}

function nockMock(): Mock {
  let got = 0
  return {
    install() {
      if (!nock.isActive()) nock.activate()
      nock(ORIGIN)
        .persist()
        .get('/items')
        .reply(200, () => {
          got += 1
          return 'mocked'
        })
    },
    uninstall() {
      nock.cleanAll()
      nock.restore()
    },
    got: () => got,
  }
}

/** A client, which reports the status and the text of an answer. */
type Ask = (url: string) => Promise<string>

const clients: Readonly<Record<string, { readonly target: typeof globalThis | typeof http; readonly ask: Ask }>> = {
  fetch: {
    target: globalThis,
    async ask(url) {
      const response = await fetch(url)
      return `${response.status} ${await response.text()}`
    },
  },
  'node:http': {
    target: http,
    async ask(url) {
      const [response] = (await once(http.get(url), 'response')) as [http.IncomingMessage]
      let text = ''
      for await (const chunk of response) text += String(chunk)
      return `${String(response.statusCode)} ${text}`
    },
  },
}

// An import of nock installs it.
nock.restore()

describe.each([
  ['msw', mswMock],
  ['nock', nockMock],
] as const)('a mock of %s', (_library, makeMock) => {
  describe.each(Object.entries(clients))('with %s', (_client, { target, ask }) => {
    it.each(['before', 'during'])('is what a fault stands in front of, installed %s the fault', async (when) => {
      const mock = makeMock()
      onTestFinished(() => mock.uninstall())
      if (when === 'before') mock.install()
      const injection = await inject(answerRequests({ body: 'sorry' }), target, { limit: 1 })
      if (when === 'during') mock.install()
      expect(await ask(`${ORIGIN}/items`)).toBe('503 sorry')
      expect([mock.got(), injection.affected]).toEqual([0, 1])
      await injection.rollback()
      expect(await ask(`${ORIGIN}/items`)).toBe('200 mocked')
      expect(mock.got()).toBe(1)
    })

    it('gets a delayed request late', async () => {
      const [mock, clock] = [makeMock(), manualClock()]
      mock.install()
      onTestFinished(() => mock.uninstall())
      const injection = await inject(delayRequests({ delayMs: 100 }), target, { clock })
      const asking = ask(`${ORIGIN}/items`)
      await vi.waitFor(() => expect(injection.held).toBe(1))
      await clock.advance(99)
      expect(mock.got()).toBe(0)
      await clock.advance(1)
      expect(await asking).toBe('200 mocked')
      await injection.rollback()
    })

    it('is really uninstalled when that happens during a fault, and the fault goes on', async () => {
      const server = http.createServer((_request, response) => response.end('real'))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => {
        server.closeAllConnections()
        server.close()
      })
      const real = `http://127.0.0.1:${(server.address() as { readonly port: number }).port}/items`
      const before = [Object.getOwnPropertyDescriptor(globalThis, 'fetch'), http.request, http.get]
      const mock = makeMock()
      mock.install()
      await withFault(answerRequests({ body: 'sorry' }), target, { limit: 2 }, async (injection) => {
        expect(await ask(real), 'a request that the mock passes on').toBe('503 sorry')
        mock.uninstall()
        expect(await ask(real)).toBe('503 sorry')
        expect([injection.seen, injection.affected]).toEqual([2, 2])
      })
      expect(await ask(real)).toBe('200 real')
      expect([Object.getOwnPropertyDescriptor(globalThis, 'fetch'), http.request, http.get]).toEqual(before)
      expect(Object.getOwnPropertyDescriptor(globalThis, Symbol.for('fetch-interceptor'))).toBeUndefined()
    })
  })
})

/** The interceptor of `fetch` that nock and MSW share. */
interface Interceptor {
  readonly on: (event: 'request', listener: (event: { readonly controller: object }) => Promise<unknown>) => unknown
}

it('leaves nothing on a request of `fetch` that a mock still has when the fault ends', async () => {
  const mock = mswMock()
  mock.install()
  onTestFinished(() => mock.uninstall())
  const interceptor = Reflect.get(globalThis, Symbol.for('fetch-interceptor')) as Interceptor
  const gate = new EventEmitter()
  interceptor.on('request', async ({ controller }) => {
    gate.emit('asked', Reflect.get(controller, 'source'))
    await once(gate, 'open')
  })
  const injection = await inject(answerRequests(), globalThis, { only: 'GET */nothing' })
  const asked = once(gate, 'asked')
  const asking = fetch(`${ORIGIN}/items`)
  const [source] = (await asked) as [{ readonly passthrough: unknown }]
  const during = source.passthrough
  await injection.rollback()
  expect(source.passthrough).not.toBe(during)
  gate.emit('open')
  expect(await (await asking).text()).toBe('mocked')
})
