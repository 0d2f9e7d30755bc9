import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { describe, expect, it } from 'vitest'
import { makeShop, orderIsChargedOnce, type Shop } from '../../test/shop.js'
import { explore } from './explore.js'

function shopUnderTest(how: Parameters<typeof makeShop>[0]) {
  let shop: Shop = makeShop(how)
  return {
    reset: () => {
      shop = makeShop(how)
    },
    targets: () => ({ payments: shop.payments, stock: shop.stock }),
    test: () => orderIsChargedOnce(shop),
  }
}

const faults = { payments: [refuseCalls, failAfterCall], stock: [refuseCalls, failAfterCall] }

describe('explore', () => {
  it('finds the lost reply that charges an order twice', async () => {
    const { reset, targets, test } = shopUnderTest({ isIdempotent: false })
    const exploration = await explore(
      { name: 'an order is charged once', targets, faults, reset, onFinding: 'return' },
      test,
    )
    expect(exploration.findings.map(({ code }) => code)).toEqual([
      "await inject(failAfterCall(), payments, { scope: 'an order is charged once', only: 'charge', limit: 1 })",
    ])
  })

  it('finds nothing in the shop whose payments know a key', async () => {
    const { reset, targets, test } = shopUnderTest({ isIdempotent: true })
    const exploration = await explore(
      { name: 'an order is charged once', targets, faults, reset, onFinding: 'return' },
      test,
    )
    expect(exploration.findings).toEqual([])
  })

  it('tells of each finding while it runs, and ends if that throws', async () => {
    const { reset, targets, test } = shopUnderTest({ isIdempotent: false })
    const told: string[] = []
    let runsAfter = 0
    const explored = await explore(
      {
        ...{ name: 'an order is charged once', targets, faults, reset, onFinding: 'return' },
        onFound: ({ code, replay: { name } }) => told.push(name, code),
        onProgress: ({ findings }) => (runsAfter += findings),
      },
      test,
    )
    expect(told).toEqual(explored.findings.flatMap(({ code, replay: { name } }) => [name, code]))
    expect(runsAfter).toBeGreaterThan(0)
    const stopped = explore(
      {
        ...{ targets, faults, reset },
        onFound: () => {
          throw new Error('enough')
        },
      },
      test,
    )
    await expect(stopped).rejects.toThrow('enough')
  })

  it('breaks the very objects that it is given, plain ones as well, and ends after as many findings as asked', async () => {
    const store = { rows: 0, write: async () => Promise.resolve(void (store.rows += 1)) }
    const { findings, line } = await explore(
      { targets: { store }, faults: { store: [refuseCalls, failAfterCall] }, maxFindings: 1, onFinding: 'return' },
      async () => {
        await store.write()
        await store.write()
      },
    )
    expect(findings).toHaveLength(1)
    expect(line).toMatch(/not complete: \d+ sets remain, enough was found$/)
    expect(Object.isFrozen(store)).toBe(false)
  })
})
