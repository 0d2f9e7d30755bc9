import { expect, it, vi } from 'vitest'
import { defineFault } from '../fault/define-fault.js'
import { inject } from '../injection/inject.js'
import { manualClock } from '../testing/manual-clock.js'
import { repeat } from './repeat.js'

it('runs work at an interval until the injection ends, even if it throws', async () => {
  const work = vi.fn(() => {
    throw new Error('away')
  })
  const fault = defineFault({
    name: 'test/repeat',
    kind: 'standing',
    summary: '',
    options: {},
    target: { expects: 'anything', accepts: () => true },
    inject: (_target: object, _options, context) => repeat(context, 100, work),
  })
  const clock = manualClock(0)
  const injection = await inject(fault(), {}, { clock })
  expect(work).not.toHaveBeenCalled()
  await clock.advance(350)
  expect(work).toHaveBeenCalledTimes(3)
  await injection.rollback()
  await clock.advance(1_000)
  expect(work).toHaveBeenCalledTimes(3)
})
