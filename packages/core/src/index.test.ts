import { expect, it } from 'vitest'
import * as core from './index.js'
import * as testing from './testing/index.js'

it('exports these names and no others', () => {
  expect(Object.keys(core).sort()).toMatchInlineSnapshot(`
    [
      "ChaosError",
      "DEFAULT_LEASE_MS",
      "HIT_CHANNEL",
      "LIFE_CYCLE_CHANNEL",
      "MAX_TIMER_MS",
      "byName",
      "checkOptions",
      "controllerRefusal",
      "createChaos",
      "defineFault",
      "globMatcher",
      "inject",
      "injectedBy",
      "isChaosError",
      "isGlob",
      "journal",
      "jsonSchemaOf",
      "listed",
      "markInjected",
      "messageOf",
      "onAbort",
      "option",
      "optionsSchema",
      "originalOf",
      "ownersOf",
      "portableInjectSchema",
      "printable",
      "printableJson",
      "readSafely",
      "registeredControllers",
      "suggestion",
      "synchronousAnswer",
      "systemClock",
      "target",
      "withFault",
    ]
  `)
  expect(Object.keys(testing).sort()).toEqual(['faultContract', 'manualClock', 'shapeDifference', 'shapeOf'])
})
