import { describe, expect, it } from 'vitest'
import { apps } from '../src/apps.js'
import { runWith } from './run-with.js'
import { broken, withoutOne } from './searching.js'

it('has five bugs in each of five apps, and one more where there are threads', () => {
  expect(apps.map(({ bugs }) => Object.keys(bugs).length)).toEqual(apps.map(({ name }) => (name === 'jobs' ? 6 : 5)))
  expect(new Set(broken.map(({ bug }) => bug)).size).toBe(26)
})

it('needs two faults for at least eight of them, and a later call for some', () => {
  expect(broken.filter(({ revealedBy }) => revealedBy.length === 2).length).toBeGreaterThanOrEqual(8)
  const late = broken.filter(({ revealedBy }) => revealedBy.some(({ call }) => call > 1))
  expect(late.length).toBeGreaterThanOrEqual(3)
})

describe.each(broken)('$app.name with $bug', ({ app, make, revealedBy }) => {
  it('holds without a fault', async () => {
    expect(await runWith(make(), [])).toEqual({ hasLanded: [], brokenBy: undefined })
  })

  it('breaks under its set of faults, and under no smaller one', async () => {
    const whole = await runWith(make(), revealedBy)
    expect(whole.hasLanded).toEqual(revealedBy.map(() => true))
    expect(whole.brokenBy).toBeInstanceOf(Error)
    for (const fewer of withoutOne(revealedBy)) expect((await runWith(make(), fewer)).brokenBy).toBeUndefined()
  })

  it('holds under the same set without the bug', async () => {
    expect((await runWith(app.make(new Set()), revealedBy)).brokenBy).toBeUndefined()
  })
})
