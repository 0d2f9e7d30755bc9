import { expect, it } from 'vitest'
import * as adapter from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(adapter).sort()).toMatchInlineSnapshot(`
    [
      "breakable",
      "corruptResults",
      "cutResults",
      "delayCalls",
      "duplicateWrites",
      "errorPresetNames",
      "exhaustPool",
      "failAfterCall",
      "flapCalls",
      "hangCalls",
      "limitRate",
      "loseWrites",
      "refuseCalls",
      "serveStaleReads",
      "timeOutCalls",
    ]
  `)
})
