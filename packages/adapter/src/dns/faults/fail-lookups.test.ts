import { inject, injectedBy, withFault } from '@chaos/core'
import dns, { lookup as named } from 'node:dns'
import { lookup as promised } from 'node:dns/promises'
import net from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { serve } from '../../../test/http.js'
import { rejection } from '../../../test/rejection.js'
import { lifeOf, listen } from '../../../test/tcp.js'
import { failLookups } from './fail-lookups.js'

const { lookup: captured } = dns

describe('failLookups', () => {
  // A label longer than 63 letters cannot exist: no name server is asked.
  const nowhere = `${'a'.repeat(70)}.invalid`

  it('reads as the real one does, on every way to look up', async () => {
    const ways: Readonly<Record<string, (host: string) => Promise<unknown>>> = {
      'dns.lookup': (host) => promisify(dns.lookup)(host),
      'dns.lookup with options': (host) => promisify(dns.lookup)(host, { all: true }),
      'a function captured before': (host) => promisify(captured)(host),
      'dns.promises.lookup': (host) => dns.promises.lookup(host),
      'a named import': (host) => promisify(named)(host),
      'a named import of promises': (host) => promised(host),
    }
    for (const [way, look] of Object.entries(ways)) {
      const real = await rejection(look(nowhere))
      const error = await withFault(failLookups({ error: 'dns/enotfound' }), dns, () => rejection(look(nowhere)))
      expect(describeError(error), way).toEqual(describeError(real))
      expect([way, injectedBy(error), injectedBy(real)]).toEqual([way, 'adapter/fail-lookups', undefined])
    }
  })

  it('lets Node.js make the error of a callback, at the place where it makes the real one', async () => {
    const place = async (): Promise<string | undefined> =>
      (await rejection(promisify(dns.lookup)(nowhere))).stack?.split('\n')[1]
    const real = await place()
    expect(await withFault(failLookups({ error: 'dns/enotfound' }), dns, place)).toBe(real)
    expect(real).toContain('GetAddrInfoReqWrap')
  })

  it('reaches whoever connects by name, event by event as the real one', async () => {
    const { port } = await listen()
    const real = await lifeOf(net.connect(port, nowhere))
    const injected = await withFault(failLookups({ error: 'dns/enotfound' }), dns, () =>
      lifeOf(net.connect(port, nowhere)),
    )
    expect(injected).toEqual(real)
    expect(injected.at(-1)).toBe('close true')
  })

  it('reaches fetch, and comes back', async () => {
    const { origin } = await serve()
    const byName = origin.replace('127.0.0.1', 'localhost')
    await withFault(failLookups(), dns, async () => {
      const { cause } = (await rejection(fetch(byName))) as Error & { readonly cause: Error }
      expect(cause).toMatchObject({
        code: 'EAI_AGAIN',
        syscall: 'getaddrinfo',
        hostname: 'localhost',
        message: 'getaddrinfo EAI_AGAIN localhost',
      })
      expect((await fetch(origin)).status, 'an address needs no lookup').toBe(200)
    })
    expect((await fetch(byName)).status).toBe(200)
  })

  it('fails those that `only` names, and looks up for real what it still holds when it ends', async () => {
    const injection = await inject(failLookups({ afterMs: 60_000 }), dns, { only: 'localhost' })
    const held = [promisify(dns.lookup)('localhost', { family: 4 }), dns.promises.lookup('localhost', { family: 4 })]
    expect(await rejection(dns.promises.lookup(nowhere))).toMatchObject({ code: 'ENOTFOUND' })
    await vi.waitFor(() => expect([injection.seen, injection.held]).toEqual([2, 2]))
    await injection.rollback()
    for (const found of await Promise.all(held)) expect(found).toEqual({ address: '127.0.0.1', family: 4 })
  })

  it('tells whoever waits what is wrong with a lookup that Node.js refuses, when it ends', async () => {
    const injection = await inject(failLookups({ afterMs: 60_000 }), dns)
    const family = { family: 7 } as unknown as dns.LookupOneOptions
    const refused = [
      rejection(promisify(dns.lookup)('localhost', family)),
      rejection(dns.promises.lookup('localhost', family)),
    ]
    await injection.rollback()
    for (const error of await Promise.all(refused)) expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })

  it('leaves what is not a lookup of a name to Node.js', async () => {
    await withFault(failLookups(), dns, async (injection) => {
      expect(await dns.promises.lookup('127.0.0.1')).toEqual({ address: '127.0.0.1', family: 4 })
      expect(() => Reflect.apply(dns.lookup, dns, ['localhost']) as unknown).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      )
      expect(injection.seen).toBe(0)
    })
  })
})
