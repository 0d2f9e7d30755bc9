import { describe, expect, it } from 'vitest'
import { testAuthority } from '../../test/tls.js'
import { createProxy, type ProxyOptions } from '../index.js'

const authority = await testAuthority()
const { certificate, serverIdentity } = authority
const { cert, key } = serverIdentity('localhost')
const NEITHER = 'either `authority`, or `cert` and `key`'

/** Makes a proxy that must not be made. */
const refusal = (options: Partial<ProxyOptions>): Promise<unknown> =>
  createProxy({ upstream: '127.0.0.1:1', ...options }).then(
    (proxy) => proxy.close(),
    (error: unknown) => error,
  )

describe('the options of TLS', () => {
  it.each([
    ['no certificate', { tls: {} }, NEITHER],
    ['a certificate without its key', { tls: { cert } }, NEITHER],
    ['an authority and a key', { tls: { authority: { certificate }, key } }, 'an authority, made by `createAuthority`'],
    ['text that is no certificate', { tls: { cert: 'no', key } }, 'OpenSSL refuses them'],
    ['a key of another certificate', { tls: { cert: certificate, key } }, 'OpenSSL refuses them'],
    ['a CA of clients that is none', { tls: { cert, key, clientCa: 'no' } }, 'of `tls` to be in PEM'],
    ['a protocol that is no name', { tls: { cert, key, alpnProtocols: ['h2\n'] } }, 'the name of a protocol'],
    ['a typo', { tls: { cert, key, clientCA: certificate } }, 'Did you mean "clientCa"?'],
    ['a CA that is none', { upstreamTls: { ca: ['no'] } }, 'of `upstreamTls` to be in PEM'],
    ['half an identity', { upstreamTls: { cert } }, 'both of `cert` and `key`, or neither'],
    [
      'an authority in a worker thread',
      { tls: { authority }, worker: true },
      'Pass `tls: authority.serverIdentity(names)`',
    ],
    ['another type', { upstreamTls: true }, 'Expected `upstreamTls` of createProxy to be an object'],
  ])('refuse %s', async (_what, options, words) => {
    expect(await refusal(options as never)).toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining(words) as string,
    })
  })
})
