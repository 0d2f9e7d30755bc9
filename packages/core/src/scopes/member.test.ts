import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chainOfScope, scopeOfChain } from './chain.js'
import { hasScopeMember, scopeOfMember, withoutScopeMember, withScopeMember } from './member.js'
import { mintScope, mintScopeWith } from './mint.js'
import { openScope, type Scope } from './scope.js'
import { needScopes, scopeState } from './state.js'

const KEY = 'a key of several processes'
const NOW = 1_800_000_000_000

function carried(): void {
  onTestFinished(needScopes())
}

/** Gives this process a key that others have too. */
function keyed(): void {
  const before = process.env['CHAOS_SCOPE_KEY']
  process.env['CHAOS_SCOPE_KEY'] = KEY
  onTestFinished(() => {
    if (before === undefined) delete process.env['CHAOS_SCOPE_KEY']
    else process.env['CHAOS_SCOPE_KEY'] = before
  })
}

/** Counts how often the key of this process is read. No MAC is computed without it. */
function countKeyReads(): () => number {
  const state = scopeState() as object
  const key = Reflect.get(state, 'key') as string
  let reads = 0
  Object.defineProperty(state, 'key', { get: () => ((reads += 1), key), configurable: true, enumerable: true })
  onTestFinished(() => void Object.defineProperty(state, 'key', { value: key, writable: false, enumerable: true }))
  return () => reads
}

/** What another process makes of a header, which knows no scope yet. */
function elsewhere(header: string, now?: number): Scope | undefined {
  scopeState()?.sent.clear()
  return scopeOfMember(header, now === undefined ? {} : { now })
}

describe('a minted member', () => {
  it('names its scope by the id, until it expires', () => {
    carried()
    const { id, header, expiresAt } = mintScope({ name: 'checkout', lifetimeMs: 1_000 })
    expect(id).toMatch(/^checkout-[0-9a-f]{16}$/)
    expect(header).toMatch(/^chaos=checkout-[0-9a-f]{16}\.[0-9a-z]{8}\.[\w-]{22}$/)
    const scope = scopeOfMember(header)
    expect(scope).toEqual({ id, name: id, path: id, parent: undefined, expiresAt })
    expect(scopeOfMember(header, { now: expiresAt - 1 })).toBe(scope)
    expect(scopeOfMember(header, { now: expiresAt })).toBeUndefined()
  })

  it('counts in each process that has the key, which another process may have used to mint it', () => {
    keyed()
    carried()
    const { id, header } = mintScopeWith(KEY, {}, NOW)
    expect(scopeOfMember(header, { now: NOW })?.id).toBe(id)
    expect(scopeOfMember(mintScopeWith('another key', {}, NOW).header, { now: NOW })).toBeUndefined()
  })

  it('is known again by a process that has minted it before anybody needed scopes', () => {
    const { id, header } = mintScope()
    carried()
    expect(scopeOfMember(header)?.id).toBe(id)
  })

  it('takes its scope along to the next process, and the time when that ends', () => {
    carried()
    const { id, header, expiresAt } = mintScopeWith(scopeState()?.key ?? '', { name: 'checkout' }, NOW)
    const request = openScope('GET /a', { parent: scopeOfMember(header, { now: NOW }) })
    const job = openScope('a job', { parent: request })
    expect(job.expiresAt).toBe(expiresAt)
    const hop = withScopeMember(job)
    expect(scopeOfMember(hop, { now: NOW })).toBe(job)
    const there = elsewhere(hop, NOW)
    expect(there).toMatchObject({ id: job.id, path: `${id} > another process`, parent: { id, expiresAt }, expiresAt })
    expect(elsewhere(withScopeMember(openScope('GET /b', { parent: there })), NOW)?.parent?.id).toBe(id)
    expect(elsewhere(hop, expiresAt)).toBeUndefined()
  })

  it('gets its own scope for each time that one id was minted', () => {
    carried()
    const [first, second] = [1_000, 2_000].map((lifetimeMs) =>
      mintScopeWith(scopeState()?.key ?? '', { id: 'a', lifetimeMs }, NOW),
    )
    expect(scopeOfMember(first?.header ?? '', { now: NOW })?.expiresAt).toBe(NOW + 1_000)
    expect(scopeOfMember(second?.header ?? '', { now: NOW })?.expiresAt).toBe(NOW + 2_000)
  })

  it('is told apart from one of the same id that ends later, also in another thread', () => {
    carried()
    const key = scopeState()?.key ?? ''
    const chains = [2_000, 1_000].map((lifetimeMs) => {
      const scope = scopeOfMember(mintScopeWith(key, { id: 'a', lifetimeMs }, NOW).header, { now: NOW })
      return scope === undefined ? undefined : chainOfScope(scope)
    })
    expect(chains.map((chain) => scopeOfChain(structuredClone(chain))?.expiresAt)).toEqual([NOW + 2_000, NOW + 1_000])
  })

  it.each([
    ['a name of other characters', { name: 'a.b' }, /Expected `name` of mintScope to be 1 to 40 letters/],
    ['an id that is too long', { id: 'x'.repeat(65) }, /Expected `id` of mintScope to be 1 to 64 letters/],
    ['no time', { lifetimeMs: 0 }, /Expected `lifetimeMs` of mintScope to be a number of ms from 1 to 86400000/],
    ['more than a day', { lifetimeMs: 86_400_001 }, /a number of ms from 1 to 86400000/],
    ['a typo', { lifetimMs: 1 } as never, /Did you mean "lifetimeMs"\?/],
    ['a name and an id', { name: 'a', id: 'b' }, /either the `name` or the `id`/],
  ])('is refused with %s', (_, options, message) => {
    expect(() => mintScope(options)).toThrow(message)
  })
})

describe('a member at the edge', () => {
  it('counts only if it was minted', () => {
    carried()
    const accept = 'minted'
    const { header } = mintScope()
    const minted = scopeOfMember(header, { accept })
    expect(minted).toBeDefined()
    expect(scopeOfMember(withScopeMember(openScope('order 7')), { accept })).toBeUndefined()
    expect(scopeOfMember(withScopeMember(openScope('GET /', { parent: minted })), { accept })).toBeUndefined()
    scopeState()?.sent.clear()
    expect([hasScopeMember(header, { accept }), hasScopeMember(`${header}A`, { accept })]).toEqual([true, false])
    expect(scopeState()?.sent.size).toBe(0)
  })

  it('is left out, with one of an earlier scope, of a header that has no room for it', () => {
    carried()
    const full = `a=${'x'.repeat(8_150)}`
    expect(withScopeMember(openScope('order 7'), `${full},chaos=x.y`)).toBe(full)
  })

  it('is taken out of a header that leaves, beside which others stay', () => {
    expect(withoutScopeMember('a=b;p=1, chaos=x.y ,chaos2=c, chaos = z')).toBe('a=b;p=1,chaos2=c')
    expect(withoutScopeMember('chaos=x')).toBe('')
  })
})

describe('a member of anybody', () => {
  it('costs no MAC unless it has the form of one that counts now', () => {
    carried()
    const scope = openScope('order 7')
    const [mac, own] = ['A'.repeat(22), withScopeMember(scope)]
    const { header: expired } = mintScopeWith(scopeState()?.key ?? '', {}, NOW)
    const reads = countKeyReads()
    for (const header of [
      '',
      'chaos',
      'chaos=',
      `chaos=.${mac}`,
      `chaos=a b.${mac}`,
      `chaos=${'x'.repeat(65)}.${mac}`,
      `chaos=a.${mac}A`,
      `chaos=a.UPPER.${mac}`,
      `chaos=a.b.c.d.${mac}`,
      `chaos=a.${'z'.repeat(10)}.${mac}`,
      `chaos=${'y'.repeat(8_000)}`,
      `chaos%3Da.${mac}`,
      `${own}${',a=b'.repeat(64)}`,
      `${'x'.repeat(8_192)},${own}`,
    ])
      expect(scopeOfMember(header)).toBeUndefined()
    expect(scopeOfMember(expired, { now: NOW + 600_000 })).toBeUndefined()
    expect(scopeOfMember(own, { accept: 'minted' })).toBeUndefined()
    expect(reads()).toBe(0)
    expect(scopeOfMember(`chaos=a.${mac}`)).toBeUndefined()
    expect(reads()).toBe(1)
    expect(scopeOfMember(`${own}${',a=b'.repeat(63)}`)).toBe(scope)
  })

  it('never opens a scope, and never throws, whatever it is', () => {
    carried()
    const { header } = mintScope()
    const noise = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'chaos=.,; \t-_aZ09'.split('')) }))
    fc.assert(
      fc.property(noise, fc.nat(header.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (text, at, one) => {
        expect(scopeOfMember(text)).toBeUndefined()
        expect(scopeOfMember(`chaos=${text}`)).toBeUndefined()
        const spoilt = header.slice(0, at) + one + header.slice(at + 1)
        fc.pre(spoilt !== header && !/[\s;,]/.test(one))
        expect(scopeOfMember(spoilt)).toBeUndefined()
      }),
    )
    expect(scopeState()?.sent.size).toBe(0)
  })
})
