import { inject } from '@chaos/core'
import inspector from 'node:inspector'
import net from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connected, listen } from '../../test/tcp.js'

afterEach(() => {
  vi.restoreAllMocks()
  vi.resetModules()
})

describe('where Node.js does not tell of its native objects', () => {
  it('a fault says that it reaches fewer connections, by a warning once and in its evidence', async () => {
    // A copy that has not found them yet.
    vi.resetModules()
    const { cutConnections, slowResponses } = await import('../net/index.js')
    vi.spyOn(inspector.Session.prototype, 'connect').mockImplementation(() => {
      throw new Error('Access to this API has been restricted')
    })
    const warnings = vi.spyOn(process, 'emitWarning').mockReturnValue()
    const { port } = await listen()
    const [cut, idle] = [await connected(port), (await connected(port)).unref()]
    const injection = await inject(cutConnections(), net, { only: `*:${port}` })
    expect(injection.evidence).toEqual([
      { peer: `127.0.0.1:${port}`, how: 'reset', reach: 'only connections that keep the process alive' },
    ])
    expect([cut.destroyed, idle.destroyed]).toEqual([true, false])
    idle.destroy()
    await (await inject(slowResponses({ delayMs: 1 }), net)).rollback()
    expect(warnings.mock.calls.map(([message]) => message)).toEqual([
      expect.stringContaining(
        'Node.js does not tell of its connections here (Access to this API has been restricted).',
      ),
    ])
  })
})
