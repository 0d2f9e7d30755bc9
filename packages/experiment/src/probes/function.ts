import * as v from 'valibot'
import { asNumber, measured, probeFields, probeType } from './probe-type.js'
import { tolerance } from './tolerance.js'

/** Calls a function of the experiment. It holds code, so that only a module can have one. */
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
