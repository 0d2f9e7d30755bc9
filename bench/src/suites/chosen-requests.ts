import { refuseCalls } from '@chaos/adapter'
import { httpScopes } from '@chaos/adapter/http'
import { inject, mintScope, type InjectOptions } from '@chaos/core'
import {
  mintScopeWith,
  needScopes,
  openScope,
  runInScope,
  scopeOfMember,
  sessionMark,
  withScopeMember,
} from '@chaos/core/authoring'
import { comparison, type Case } from '../runner/case.js'

const US_PER_MS = 1_000
const REPEATS = 5_000
const WARM_UPS = 3

/** The time of one piece of work, while scopes are needed. */
const each = (
  name: string,
  prepare: () => (index: number) => unknown,
  rest: Pick<Case, 'bar' | 'refused'> = {},
): Case => ({
  name,
  unit: 'µs',
  ...rest,
  measure(rounds) {
    const leave = needScopes()
    const work = prepare()
    const values: number[] = []
    for (let round = -WARM_UPS; round < rounds; round += 1) {
      const start = performance.now()
      for (let index = 0; index < REPEATS; index += 1) work(index)
      if (round >= 0) values.push(((performance.now() - start) * US_PER_MS) / REPEATS)
    }
    leave()
    return Promise.resolve({ values })
  },
})

/** Reads a header as the edge does, for each request anew. */
const reading = (name: string, header: () => string, rest: Pick<Case, 'bar' | 'refused'> = {}): Case =>
  each(
    `reads \`baggage\`: ${name}`,
    () => {
      const given = header()
      return () => scopeOfMember(given, { accept: 'minted' })
    },
    rest,
  )

const others = (count: number): string => Array.from({ length: count }, (_, at) => `member${at}=value${at}`).join(',')

/** What a call costs in the scope of a request, under a fault that lets it pass. */
const deciding = (name: string, how: InjectOptions, isNew: boolean): Case => ({
  name,
  unit: 'µs',
  async measure(rounds) {
    const store = { get: (key: unknown): Promise<unknown> => Promise.resolve(key) }
    const injection = await inject(refuseCalls({ methods: 'get' }), store, { ...how, leaseMs: 600_000 })
    const attributes = { user: 'alice', tenant: 'acme', session: sessionMark('a session') ?? '' }
    const open = (): ReturnType<typeof openScope> =>
      openScope('GET /items/7', { parent: undefined, numbered: false, route: 'GET /items/7', attributes })
    const known = open()
    const values: number[] = []
    for (let round = -WARM_UPS; round < rounds; round += 1) {
      const start = performance.now()
      for (let index = 0; index < REPEATS; index += 1) await runInScope(isNew ? open() : known, () => store.get(index))
      if (round >= 0) values.push(((performance.now() - start) * US_PER_MS) / REPEATS)
    }
    await injection.rollback()
    return { values }
  },
})

const PREDICATE = { route: 'GET /items/*', user: ['a*', 'b*'], sessions: 0 }

/** Requests chosen one by one: what a header, a predicate and scopes that nobody needs cost. */
export const chosenRequestCases: readonly Case[] = [
  comparison(
    'an `await`, `httpScopes` in force and a scope minted, no fault for one',
    {
      target: 'plain-await',
      async around() {
        const scopes = await httpScopes({ identify: { user: 'x-user-id', session: 'sid' } })
        mintScope()
        return () => scopes.stop()
      },
    },
    { bar: { most: 1.02 }, everyNode: true },
  ),
  reading('of the application alone', () => others(3)),
  reading('64 members of the application', () => others(64)),
  reading('8,192 bytes of commas', () => ','.repeat(8_192)),
  reading('malformed', () => `${others(3)},chaos=scope.no-mac`),
  reading('expired', () => mintScopeWith('a key', {}, 0).header),
  reading('forged', () => `${others(3)},${mintScopeWith('another key', {}).header}`, {
    bar: { most: 50 },
    refused: 200,
  }),
  reading('minted', () => `${others(3)},${mintScope().header}`),
  each('writes `baggage` of a request to another process', () => {
    const scope = openScope('GET /items', { parent: scopeOfMember(mintScope().header) })
    return () => withScopeMember(scope)
  }),
  each('opens the scope of a request', () => (index) => openScope(`GET /items/${index}`, { parent: undefined })),
  deciding('a call in a request, a fault for another scope', { scope: 'another' }, false),
  deciding('a call in a request, a fault for a predicate', { scope: PREDICATE }, false),
  deciding('the first call in a request, a fault for another scope', { scope: 'another' }, true),
  deciding('the first call in a request, a fault for a predicate', { scope: PREDICATE }, true),
]
