import { toHaveFiredAlert } from './to-have-fired-alert.js'
import { toHaveHit } from './to-have-hit.js'
import { toHaveLanded } from './to-have-landed.js'
import { toHaveRetried } from './to-have-retried.js'
import { toRecoverWithin } from './to-recover-within.js'

/** All matchers, for `expect.extend`. */
export const matchers = { toHaveFiredAlert, toHaveHit, toHaveLanded, toHaveRetried, toRecoverWithin }
