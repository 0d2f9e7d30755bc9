import { expect, it } from 'vitest'
import * as delegates from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(delegates).sort()).toMatchInlineSnapshot(`
    [
      "chaosMeshYaml",
      "lintChaosMesh",
      "renderChaosMesh",
      "runSelector",
    ]
  `)
})
