import { createChaos, target } from '@chaos/core'
import { defineFault, systemClock } from '@chaos/core/authoring'
import { expect, it, onTestFinished } from 'vitest'
import { testPlan } from '../testing/plans.js'
import { applyPlan } from './apply-plan.js'

it('leaves out evidence that has no JSON: it must not be thrown at the application', async () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const strange = defineFault({
    name: 'test/strange',
    kind: 'instant',
    summary: 'Lands with strange evidence.',
    options: {},
    target: { expects: 'an object', accepts: () => true },
    inject(_target: object, _options, context) {
      context.landed({ size: 10n, circle })
    },
  })
  const chaos = createChaos({ environment: 'test', targets: { it: target({}, [strange]) } })
  onTestFinished(() => chaos.close())
  const plan = testPlan({ fault: 'test/strange' })
  const application = applyPlan(chaos.controller, systemClock, plan, systemClock.now() + 5_000)
  await application.inForce
  expect(application.account().evidence).toEqual([])
})
