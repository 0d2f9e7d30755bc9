import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Hit, Run, Subject } from './model.js'
import { shrink } from './shrink.js'

const hitOf = (call: number): Hit => ({ point: { scope: 's', target: 't', operation: 'o', call }, kind: 'lost' })

/** Breaks under every set that contains one of the causes. Hits beyond the reach never land. */
function breakingUnder(causes: readonly (readonly number[])[], reach: number): Subject {
  return (plan) => {
    const calls = new Set(plan.map(({ point }) => point.call).filter((call) => call <= reach))
    const breaks = causes.some((cause) => cause.every((call) => calls.has(call)))
    const run: Run = {
      ...{ reached: [], passed: [], answer: '', ms: 0 },
      landed: plan.map(({ point }) => point.call <= reach),
      outcome: breaks ? { verdict: 'breaks', reason: 'broken' } : { verdict: 'holds' },
    }
    return Promise.resolve(run)
  }
}

it('leaves a set that still breaks the test, and from which nothing can be taken', () =>
  fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
      fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 3,
      }),
      async (calls, causes) => {
        const subject = breakingUnder(causes, 30)
        const shrunk = await shrink(calls.map(hitOf), subject)
        const { outcome } = await subject(calls.map(hitOf))
        expect(shrunk === undefined).toBe(outcome.verdict === 'holds')
        if (shrunk === undefined) return
        expect(await subject(shrunk.hits)).toMatchObject({
          outcome: { verdict: 'breaks' },
          landed: shrunk.hits.map(() => true),
        })
        for (const hit of shrunk.hits)
          expect(await subject(shrunk.hits.filter((one) => one !== hit))).toMatchObject({
            outcome: { verdict: 'holds' },
          })
      },
    ),
  ))

it('is not reproduced if the test holds, or breaks without any of the hits', async () => {
  expect(await shrink([hitOf(1)], breakingUnder([[2]], 30))).toBeUndefined()
  expect(await shrink([hitOf(31)], breakingUnder([[]], 30))).toMatchObject({ hits: [] })
})
