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
      "bytesOf",
      "checkDamage",
      "checkOptions",
      "controllerRefusal",
      "copiedBytes",
      "damageOf",
      "damageOptions",
      "defineFault",
      "delayOptions",
      "delaysOf",
      "fieldOf",
      "globMatcher",
      "isBytes",
      "isError",
      "isGetter",
      "isGlob",
      "jsonSchemaOf",
      "keysOf",
      "listed",
      "markInjected",
      "meaningOf",
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
      "seededStream",
      "structureOf",
      "suggestion",
      "synchronousAnswer",
      "systemClock",
      "systemError",
      "unknownName",
    ]
  `)
  expect(Object.keys(testing).sort()).toEqual(['faultContract', 'manualClock', 'shapeDifference', 'shapeOf'])
})
