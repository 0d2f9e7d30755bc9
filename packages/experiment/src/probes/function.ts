import * as v from 'valibot'
import { asNumber, measured, probeFields, probeType } from './probe-type.js'
import { tolerance } from './tolerance.js'

/** A probe that calls a function. Only experiments in modules can contain one. */
export const functionProbe = probeType({
  type: 'function',
  schema: v.strictObject({
    ...probeFields,
    type: v.literal('function'),
    read: v.custom<() => number | boolean | Promise<number | boolean>>(
      (value) => typeof value === 'function',
      'a function that returns a number, true or false',
    ),
    tolerance,
  }),
  read:
    ({ name, read }) =>
    async () =>
      measured(asNumber(await read(), name)),
})
