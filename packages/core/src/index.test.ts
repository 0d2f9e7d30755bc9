import { expect, it } from 'vitest'
import * as authoring from './authoring.js'
import * as core from './index.js'
import * as testing from './testing/index.js'

it('exports these names and no others', () => {
  expect(Object.keys(core).sort()).toMatchInlineSnapshot(`
    [
      "ChaosError",
      "HIT_CHANNEL",
      "LIFE_CYCLE_CHANNEL",
      "createChaos",
      "inject",
      "injectedBy",
      "isChaosError",
      "journal",
      "target",
      "withFault",
    ]
  `)
  expect(Object.keys(authoring).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_LEASE_MS",
      "MAX_TIMER_MS",
      "byName",
      "checkOptions",
      "controllerRefusal",
      "defineFault",
      "globMatcher",
      "isGlob",
      "jsonSchemaOf",
      "lastFor",
      "listed",
      "markInjected",
      "messageOf",
      "onAbort",
      "option",
      "optionsSchema",
      "originalOf",
      "ownersOf",
      "portableInjectOptions",
      "printable",
      "printableJson",
      "readSafely",
      "registeredControllers",
      "repeat",
      "suggestion",
      "synchronousAnswer",
      "systemClock",
    ]
  `)
  expect(Object.keys(testing).sort()).toEqual(['faultContract', 'manualClock', 'shapeDifference', 'shapeOf'])
})
