import { account, assertInjected } from './injected.js'
import { result, type MatcherResult } from './result.js'

/** Whether a fault has affected something: a call, or what an instant fault is for. */
export function toHaveLanded(received: unknown): MatcherResult {
  assertInjected(received, 'toHaveLanded')
  return result(
    received.affected > 0 || received.landedAt !== undefined,
    () => `Expected the fault to have landed. ${account(received)}${advice(received.seen)}`,
    () => `Expected the fault not to have landed. ${account(received)}`,
  )
}

function advice(seen: number): string {
  return seen === 0
    ? ' Check `only`, `scope`, and that the test uses this very target.'
    : ' Check `skip`, `every`, `rate` and the options of the fault.'
}
