import assert from 'node:assert/strict'
import { AsyncResource } from 'node:async_hooks'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { withScope } from '@chaos/core'
import { defineFault } from '@chaos/core/authoring'
import { describe, expect, it } from 'vitest'
import { hitText, pointText } from '../search/model.js'
import { explore } from './explore.js'
import { asReplay } from './replay.js'

class Store {
  readonly rows: string[] = []
  async write(row: string): Promise<void> {
    await Promise.resolve()
    this.rows.push(row)
  }
}

const clearCache = defineFault({
  name: 'test/clear-cache',
  kind: 'instant',
  summary: 'Clears a cache.',
  target: { expects: 'a map', accepts: (value) => value instanceof Map },
  inject(target: Map<string, string>, _options, context) {
    context.landed({ lost: target.size })
    target.clear()
  },
})

describe('a point', () => {
  it('is found again by its scope, however requests interleave', async () => {
    const store = new Store()
    const { findings, complete, result } = await explore(
      {
        name: 'two requests',
        targets: { store },
        faults: { store: [refuseCalls] },
        reset: () => void store.rows.splice(0),
        onFinding: 'return',
      },
      async () => {
        const turns = Math.random() < 0.5 ? [1, 2] : [2, 1]
        await Promise.all(
          turns.map((n) =>
            withScope(`POST /orders/${n}`, async () => {
              await store.write(`order ${n}`).catch(() => undefined)
              await store.write(`event ${n}`).catch(() => undefined)
            }),
          ),
        )
        assert.ok(store.rows.includes('event 2'))
      },
    )
    expect(result.unstable).toEqual([])
    expect(complete).toBe(true)
    expect(findings.map(({ code }) => code)).toEqual([
      "await inject(refuseCalls(), store, { scope: 'two requests > POST /orders/2', only: 'write', skip: 1, limit: 1 })",
    ])
  })

  it.each([1, 8, 32])(
    'is the same call in each run at %i concurrent requests, if each has a scope',
    async (requests) => {
      const store = new Store()
      const orders = Array.from({ length: requests }, (_, n) => n + 1)
      const { findings, result } = await explore(
        {
          name: 'all',
          targets: { store },
          faults: { store: [refuseCalls] },
          depth: 1,
          budgetMs: 600_000,
          reset: () => void store.rows.splice(0),
          onFinding: 'return',
        },
        async () => {
          await Promise.all(
            [...orders]
              .sort(() => Math.random() - 0.5)
              .map((n) =>
                withScope(`order ${n}`, async () => {
                  for (const step of ['reserve', 'charge', 'mail'])
                    await store.write(`${step} ${n}`).catch(() => undefined)
                }),
              ),
          )
          assert.ok(store.rows.includes(`charge ${requests}`))
        },
      )
      expect(result).toMatchObject({ unstable: [], notReached: [], sets: 3 * requests, run: 3 * requests })
      expect(findings.map(({ hits }) => hits.map(({ point }) => pointText(point)))).toEqual([
        [`all > order ${requests}: store.write #2`],
      ])
    },
  )

  it('may be told from others by its arguments', async () => {
    const store = new Store()
    const { findings, complete } = await explore(
      {
        targets: { store },
        faults: { store: [refuseCalls] },
        keyOf: (args) => String(args[0]),
        reset: () => void store.rows.splice(0),
        onFinding: 'return',
      },
      async () => {
        const rows = Math.random() < 0.5 ? ['a', 'b'] : ['b', 'a']
        for (const row of rows) await store.write(row).catch(() => undefined)
        assert.ok(store.rows.includes('b'))
      },
    )
    expect(complete).toBe(true)
    expect(findings.map(({ code }) => code)).toEqual([
      "await inject(refuseCalls(), store, { scope: 'explore', only: (args, operation) => operation === 'write' && keyOf(args, operation, 'store') === 'b', limit: 1 })",
    ])
  })

  it('may have no key beside others that have one', async () => {
    const store = new Store()
    const { findings } = await explore(
      {
        ...{ targets: { store }, faults: { store: [refuseCalls] }, depth: 1, onFinding: 'return' },
        keyOf: (args) => (args[0] === 'b' ? undefined : String(args[0])),
        reset: () => void store.rows.splice(0),
      },
      async () => {
        for (const row of ['a', 'b', 'c']) await store.write(row).catch(() => undefined)
        assert.ok(store.rows.includes('b'))
      },
    )
    expect(findings.map(({ code }) => code)).toEqual([
      "await inject(refuseCalls(), store, { scope: 'explore', only: (args, operation) => operation === 'write' && keyOf(args, operation, 'store') === undefined, limit: 1 })",
    ])
  })

  it.each([
    [() => assert.fail('no key'), 'no key'],
    [
      () => 7 as never,
      'Expected `keyOf` of explore to return a string of at most 1000 characters or `undefined`, got `7`',
    ],
    [() => 'a'.repeat(1_001), 'Expected `keyOf` of explore to return a string'],
  ])('has a name, or the test is not explored: %#', async (keyOf, why) => {
    const store = new Store()
    let written = 0
    await expect(
      explore({ targets: { store }, faults: { store: [refuseCalls] }, keyOf }, async () => {
        await store.write('a')
        written += 1
      }),
    ).rejects.toMatchObject({
      code: 'CHAOS_NOT_EXPLORED',
      message: expect.stringContaining(`\`keyOf\` threw, so a call has no name: ${why}`) as unknown,
    })
    expect(written).toBe(1)
  })

  it('is not hit in work that an earlier run has left behind', async () => {
    const store = new Store()
    const left: (() => void)[] = []
    const { findings } = await explore(
      {
        ...{ targets: { store }, faults: { store: [refuseCalls] }, depth: 1, onFinding: 'return' },
        reset: () => void store.rows.splice(0),
      },
      async () => {
        // What runs before have left behind calls first.
        for (const work of left.splice(0)) work()
        left.push(AsyncResource.bind(() => void store.write('late').catch(() => undefined)))
        await store.write('own').catch(() => undefined)
        assert.ok(store.rows.includes('own'))
      },
    )
    expect(findings.map(({ hits }) => hits.map(({ point }) => pointText(point)))).toEqual([['explore: store.write #1']])
  })

  it('may be in no scope, if what was started before the test makes the call', async () => {
    const store = new Store()
    const before = new AsyncResource('server')
    const { findings, result } = await explore(
      { targets: { store }, faults: { store: [refuseCalls] }, onFinding: 'return' },
      () => before.runInAsyncScope(() => store.write('a')),
    )
    expect(result.points.map(({ point }) => pointText(point))).toEqual(['store.write #1'])
    expect(findings.map(({ code }) => code)).toEqual([
      "await inject(refuseCalls(), store, { only: (args, operation) => operation === 'write' && currentScope() === undefined, limit: 1 })",
    ])
  })

  it('is left out and listed if it is not there in both runs without a fault', async () => {
    const store = new Store()
    let run = 0
    const { line, complete, result } = await explore(
      { targets: { store }, faults: { store: [refuseCalls] }, onFinding: 'return' },
      async () => {
        run += 1
        await store.write('a').catch(() => undefined)
        if (run % 2 === 0) await store.write('b').catch(() => undefined)
      },
    )
    expect(complete).toBe(false)
    expect(line).toContain('1 point × 1 kind, depth 2: 1 of 1 sets run; 1 unstable point left out')
    expect(result.unstable.map(pointText)).toEqual(['explore: store.write #2'])
  })

  it('may have an instant fault, which happens as the call is made', async () => {
    const store = new Store()
    const loseRows = defineFault({
      name: 'test/lose-rows',
      kind: 'instant',
      summary: 'Loses all rows.',
      target: { expects: 'a store', accepts: (value) => value instanceof Store },
      inject(target: Store, _options, context) {
        context.landed({ lost: target.rows.splice(0).length })
      },
    })
    const { findings } = await explore(
      {
        targets: { store },
        faults: { store: [refuseCalls, loseRows] },
        reset: () => void store.rows.splice(0),
        onFinding: 'return',
      },
      async () => {
        await store.write('a').catch(() => store.rows.push('a'))
        await store.write('b').catch(() => undefined)
        assert.ok(store.rows.includes('a'))
      },
    )
    expect(findings.map(({ hits: [hit] }) => hit && [pointText(hit.point), hit.kind])).toEqual([
      ['explore: store.write #2', 'test/lose-rows'],
    ])
  })

  it('has the instant faults of targets that have no other, which happen at its call', async () => {
    const [store, cache] = [new Store(), new Map<string, string>()]
    const { findings, result, complete } = await explore(
      {
        name: 'cached',
        targets: { store, cache },
        faults: { store: [refuseCalls], cache: [clearCache] },
        thorough: true,
        reset: () => void (cache.clear(), store.rows.splice(0)),
        onFinding: 'return',
      },
      async () => {
        cache.set('a', 'new')
        const isWritten = await store.write('a').then(
          () => true,
          () => false,
        )
        await store.write('log').catch(() => undefined)
        assert.ok(isWritten || cache.has('a'), 'lost')
      },
    )
    expect(findings.map(({ hits }) => hits.map(hitText))).toEqual([
      ['cached: store.write #1: adapter/refuse-calls', 'cached: cache at store.write #1: test/clear-cache'],
      ['cached: store.write #1: adapter/refuse-calls', 'cached: cache at store.write #2: test/clear-cache'],
    ])
    expect(findings[1]?.code).toBe(
      "await inject(refuseCalls(), store, { scope: 'cached', only: 'write', limit: 1 })\n" +
        "await inject(refuseCalls(), store, { scope: 'cached', only: 'write', rate: 0, onSeen: ({ call }) => call === 2 && void inject(clearCache(), cache) })",
    )
    expect(asReplay(findings[1]?.replay).hits).toEqual(findings[1]?.hits)
    expect([complete, result.points.length]).toEqual([true, 4])
  })

  it('is needed: instant faults alone are refused', async () => {
    await expect(
      explore({ targets: { cache: new Map() }, faults: { cache: [clearCache] } }, () => undefined),
    ).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining('at least one standing fault, or another target to have one') as unknown,
    })
  })

  it('is hit by two faults at once if they see different calls under its name', async () => {
    const mail = {
      delivered: [] as string[],
      async send(letters: readonly string[]): Promise<void> {
        for (const letter of letters) await this.deliver(letter)
      },
      async deliver(letter: string): Promise<void> {
        await Promise.resolve(this.delivered.push(letter))
      },
    }
    const loseLetters = defineFault({
      name: 'test/lose-letters',
      kind: 'standing',
      summary: 'Loses letters of what is sent.',
      target: { expects: 'a mail', accepts: (value) => value === mail },
      inject(target: typeof mail, _options, context) {
        const operation = context.operation('send')
        context.patch(
          target,
          'deliver',
          (below) =>
            function (this: unknown, letter: unknown): unknown {
              return operation.shouldInject([letter]) ? Promise.resolve() : Reflect.apply(below.call, this, [letter])
            },
        )
      },
    })
    const { findings, complete, result, report } = await explore(
      {
        targets: { mail },
        faults: { mail: [failAfterCall({ methods: 'send' }), loseLetters] },
        thorough: true,
        reset: () => void mail.delivered.splice(0),
        onFinding: 'return',
      },
      async () => {
        const send = (): Promise<void> => mail.send(['a', 'b'])
        await send()
          .catch(send)
          .catch(() => undefined)
        assert.notDeepEqual(mail.delivered, ['b', 'a', 'b'])
      },
    )
    const texts = findings.map(({ hits }) =>
      hits.map(({ point, kind }) => `${point.operation} #${point.call}: ${kind}`),
    )
    expect(texts).toEqual([['send #1: adapter/fail-after-call', 'send #1: test/lose-letters']])
    expect(complete).toBe(true)
    // A row of the map and a point of the line for each name, whichever kinds see it.
    expect(result.points.map(({ point }) => point.call)).toEqual([1, 2, 3, 4])
    expect(report().match(/mail\.send #1 /g)).toHaveLength(1)
  })

  it('has the kinds that can act there, named by their options if a target has several of one fault', async () => {
    const store = new Store()
    const { result } = await explore(
      {
        targets: { store },
        faults: {
          store: [refuseCalls({ code: 'ETIMEDOUT' }), refuseCalls, failAfterCall({ methods: 'nothing*' })].slice(0, 2),
        },
        onFinding: 'return',
      },
      () => store.write('a').catch(() => undefined),
    )
    expect(result.points[0]?.kinds).toEqual([
      expect.stringMatching(/^adapter\/refuse-calls \{.*ETIMEDOUT/),
      expect.stringMatching(/^adapter\/refuse-calls \{/),
    ])
  })
})
