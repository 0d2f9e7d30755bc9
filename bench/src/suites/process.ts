import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server, ServerResponse, IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refuseCalls } from '@chaos/adapter'
import { createChaos, inject } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'
import { comparison, type Bar, type Suite } from '../runner/case.js'

const endpointBar: Bar = { most: 1.02 }

/** Faults of two kinds in force, and an event held back by one of them. */
async function breakSomethingElse(): Promise<() => Promise<void>> {
  const bus = new EventEmitter().on('tick', () => undefined)
  const store = { get: async () => Promise.resolve() }
  const delay = await inject(delayEvents({ delayMs: 60_000 }), bus)
  const refuse = await inject(refuseCalls(), store)
  bus.emit('tick')
  return async () => {
    await delay.rollback()
    await refuse.rollback()
  }
}

/** Opens the control socket of a controller with one target; nobody connects. */
async function openIdleSocket(): Promise<() => Promise<void>> {
  const { openSocket } = await import('@chaos/control')
  const directory = mkdtempSync(join(tmpdir(), 'chaos-bench-'))
  const chaos = createChaos({ environment: 'test' })
  const endpoint = await openSocket(chaos, { directory })
  return async () => {
    await endpoint.close()
    await chaos.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Mounts the control handler in front of the app's own, as its README shows. */
async function mountHandler(target: { readonly server: Server }): Promise<unknown> {
  const { createHandler } = await import('@chaos/control')
  const handler = createHandler(createChaos({ environment: 'test' }), { token: 'only-for-benchmarks' })
  const [app] = target.server.listeners('request') as [(request: IncomingMessage, response: ServerResponse) => void]
  target.server.removeAllListeners('request').on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!handler.handle(request, response)) app(request, response)
  })
  return target
}

export const processSuite: Suite = {
  name: 'process',
  title: 'The rest of the process',
  about:
    'What is not broken must not notice: other awaits while faults are in force and an event is held, and an HTTP server whose process has an open control endpoint that nobody uses. What is in the process and not in the target is put there before each slice and taken away after it.',
  cases: [
    comparison(
      'an `await` elsewhere, faults in force',
      { target: 'plain-await', around: breakSomethingElse },
      { bar: { most: 1.03 }, refused: 1.25 },
    ),
    comparison(
      'an asynchronous call elsewhere, faults in force',
      { target: 'async-call', around: breakSomethingElse },
      { bar: { most: 1.03 } },
    ),
    comparison(
      'an HTTP server, control socket open',
      { target: 'http-server', around: openIdleSocket },
      { bar: endpointBar },
    ),
    comparison(
      'an HTTP server, control handler mounted',
      { target: 'http-server', prepare: mountHandler },
      { bar: endpointBar, refused: 1.5 },
    ),
  ],
}
