import { describe, expect, it, onTestFinished } from 'vitest'
import { jsonSchemaOf, optionsSchema } from '../fault/options-schema.js'
import { defineFault } from '../fault/define-fault.js'
import { inject } from '../injection/inject.js'
import { injectSchema, portableInjectOptions } from '../injection/inject-options.js'
import { checkOptions } from '../fault/check-options.js'
import { chainOfScope, scopeOfChain } from '../scopes/chain.js'
import { sessionMark, type ScopeAttributes } from '../scopes/attributes.js'
import { openScope, runInScope, type Scope, type ScopeOptions } from '../scopes/scope.js'
import { areScopesNeeded, needScopes, scopeState } from '../scopes/state.js'
import { inScope, scopeText } from './in-scope.js'
import type { ScopePredicate } from './scope-predicate.js'

function carried(): void {
  onTestFinished(needScopes())
}

function request(route: string, attributes: ScopeAttributes = {}, rest: ScopeOptions = { parent: undefined }): Scope {
  return openScope(route, { ...rest, route, attributes })
}

const isIn = (predicate: ScopePredicate, scope: Scope | undefined): boolean => inScope(predicate)(scope)

describe('a predicate on scopes', () => {
  it('chooses requests by route, user and tenant, all of which must match', () => {
    carried()
    const alice = request('GET /items/7', { user: 'alice', tenant: 'acme' })
    const bob = request('POST /items', { user: 'bob' })
    for (const [predicate, chosen] of [
      [{ route: 'GET /items/*' }, [true, false, false]],
      [{ route: ['GET /items', 'POST /items'] }, [false, true, false]],
      [{ user: 'alice' }, [true, false, false]],
      [{ user: ['a*', 'b?b'] }, [true, true, false]],
      [{ user: '*' }, [true, true, false]],
      [{ tenant: 'acme' }, [true, false, false]],
      [{ route: 'GET *', user: 'alice', tenant: 'ac*' }, [true, false, false]],
      [{ route: 'GET *', user: 'bob' }, [false, false, false]],
    ] as const satisfies readonly (readonly [ScopePredicate, readonly boolean[]])[])
      expect([alice, bob, request('a job of nobody')].map((scope) => isIn(predicate, scope))).toEqual(chosen)
    expect(isIn({ user: '*' }, undefined)).toBe(false)
  })

  it('chooses what is done within a request, which has its attributes unless it has its own', () => {
    carried()
    const outer = request('POST /orders', { user: 'alice', tenant: 'acme' })
    const job = openScope('a job', { parent: outer })
    const inner = request('GET /stock', { user: 'service' }, { parent: job })
    expect(isIn({ route: 'POST /orders', user: 'alice' }, job)).toBe(true)
    expect(job).not.toHaveProperty('route')
    expect(isIn({ route: 'POST /orders', tenant: 'acme' }, inner)).toBe(true)
    expect([isIn({ user: 'service' }, inner), isIn({ user: 'alice' }, inner)]).toEqual([true, false])
  })

  it('has the same sessions always in or always out, more of them with a larger share, and others with another seed', () => {
    carried()
    const sessions = Array.from({ length: 2_000 }, (_, at) =>
      request('GET /', { session: sessionMark(`session ${at}`) ?? '' }),
    )
    const chosenBy = (predicate: ScopePredicate): readonly Scope[] => sessions.filter((one) => isIn(predicate, one))
    const tenth = chosenBy({ sessions: 0.1 })
    // The choice rests on no state, so these numbers are the same in each process.
    expect(tenth).toHaveLength(185)
    expect(chosenBy({ sessions: 0.1 })).toEqual(tenth)
    expect(chosenBy({ sessions: 0.3 })).toEqual(expect.arrayContaining([...tenth]))
    const other = chosenBy({ sessions: 0.1, seed: 'another' })
    expect(other.filter((one) => tenth.includes(one)).length).toBeLessThan(60)
    expect([chosenBy({ sessions: 0 }).length, chosenBy({ sessions: 1 }).length]).toEqual([0, 2_000])
    expect(isIn({ sessions: 1 }, request('GET /'))).toBe(false)
  })

  it('knows what came from another thread, and nothing that is not valid there', () => {
    const leave = needScopes()
    const scope = openScope('a job', { parent: request('GET /items', { user: 'alice' }), expiresAt: 5 })
    const data = structuredClone(chainOfScope(scope))
    leave()
    carried()
    const there = scopeOfChain(data)
    expect(there).toEqual(scope)
    expect(isIn({ route: 'GET /items', user: 'alice' }, there)).toBe(true)
    scopeState()?.sent.clear()
    const odd = scopeOfChain([
      ['id', 'name', { route: 7, attributes: { user: 'x'.repeat(1_025), other: 'a' }, expiresAt: 'b' }],
    ])
    expect(odd).toEqual({ id: 'id', name: 'name', path: 'name', parent: undefined })
  })

  it.each([
    [
      { usr: 'alice' },
      'Expected `scope` of inject to be an object of `route`, `user`, `tenant`, `sessions`, `seed`, without "usr". Did you mean "user"?, got `an object`.',
    ],
    [{ sessions: 1.5 }, 'Expected `scope.sessions` of inject to be a number from 0 to 1, got `1.5`.'],
    [{ route: '' }, 'Expected `scope.route` of inject to be a name or glob'],
    [{}, 'to be at least one of route, user, tenant and sessions'],
    [{ seed: 1 }, 'to be at least one of route, user, tenant and sessions'],
    [{ user: 'a', seed: 1 }, 'to be without `seed`, or with `sessions`'],
    [['a'], 'Expected `scope` of inject to be a scope, the path or id of a scope, or a predicate'],
  ])('is refused where it is %j', (scope, message) => {
    const error = ((): Error | undefined => {
      try {
        checkOptions(injectSchema, { scope }, 'inject')
        return undefined
      } catch (thrown) {
        return thrown as Error
      }
    })()
    expect(error?.message).toContain(message)
  })

  it('is data, and has a JSON Schema', () => {
    const { scope } = jsonSchemaOf(optionsSchema(portableInjectOptions))['properties'] as { readonly scope: unknown }
    expect(scope).toMatchObject({
      anyOf: [
        { type: 'string' },
        {
          type: 'object',
          properties: {
            route: {},
            user: {},
            tenant: {},
            sessions: { type: 'number', minimum: 0, maximum: 1 },
            seed: {},
          },
          additionalProperties: false,
        },
      ],
    })
    expect(scopeText({ route: ['GET /a', 'GET /b'], sessions: 0.1, user: '\u001b[1m' })).toBe(
      '{ route: GET /a or GET /b, sessions: 0.1, user: \\u001b[1m }',
    )
  })
})

describe('a fault for a predicate', () => {
  const failReads = defineFault({
    name: 'test/fail-reads',
    kind: 'standing',
    summary: 'Fails reads.',
    target: { expects: 'a store', accepts: () => true },
    options: {},
    inject(store: { read: () => string }, _options, { patch, operation }) {
      const reads = operation('read')
      patch(store, 'read', (below) => () => (reads.shouldInject([]) ? 'failed' : (below.call.call(store) as string)))
    },
  })

  it('is armed while there is no scope yet, counts the calls of its requests, and says what it is for', async () => {
    const store = { read: (): string => 'value' }
    const injection = await inject(failReads(), store, { scope: { user: 'alice' } })
    expect(areScopesNeeded()).toBe(true)
    const read = (user: string): string => runInScope(request('GET /', { user }), () => store.read())
    expect([read('alice'), read('bob'), store.read()]).toEqual(['failed', 'value', 'value'])
    expect(injection).toMatchObject({ seen: 1, affected: 1, scope: '{ user: alice }' })
    await injection.rollback()
    expect(areScopesNeeded()).toBe(false)
  })

  it('affects nothing in a minted scope that is over, if it is for that scope', async () => {
    const store = { read: (): string => 'value' }
    for (const scope of ['minted', 'minted > *'] as const) {
      const injection = await inject(failReads(), store, { scope })
      const read = (expiresAt: number | undefined): string =>
        runInScope(
          openScope('a job', { parent: openScope('minted', { id: 'minted', numbered: false, expiresAt }) }),
          () => store.read(),
        )
      expect([read(undefined), read(Date.now() + 3_600_000), read(Date.now() - 1)]).toEqual([
        'failed',
        'failed',
        'value',
      ])
      await injection.rollback()
    }
  })
})
