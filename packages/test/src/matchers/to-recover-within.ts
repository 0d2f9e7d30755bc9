import { checkOptions, messageOf, option, optionsSchema, printable } from '@chaos/core/authoring'
import { poll, waitOptions, type WaitOptions } from './poll.js'
import { result, type MatcherResult } from './result.js'

const schema = optionsSchema({ ...waitOptions, withinMs: option.durationMs('Time to recover in, in ms.') })

/** Reads whether a system is well. It is not while the function throws, rejects, or answers `false`. */
type HealthCheck = (signal: AbortSignal) => unknown

/**
 * Whether a system is well again within some time.
 *
 * @param received Reads whether the system is well. It is called until it is.
 * @param withinMs The time to recover in, in ms.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid time or option.
 */
export async function toRecoverWithin(
  received: unknown,
  withinMs: number,
  options: WaitOptions = {},
): Promise<MatcherResult> {
  if (typeof received !== 'function')
    throw new TypeError(
      'toRecoverWithin expects a function that throws, or returns false, while the system is not well.',
    )
  const wait = checkOptions(schema, { ...options, withinMs }, 'toRecoverWithin')
  const check = received as HealthCheck
  let last = 'did not answer'
  const { isMet, looks, tookMs } = await poll(
    async (signal) => {
      last = 'did not answer'
      try {
        const answer = await check(signal)
        last = `answered ${printable(String(answer), { max: 200 })}`
        return answer !== false
      } catch (error) {
        last = `failed: ${messageOf(error, { max: 500 })}`
        return false
      }
    },
    withinMs,
    wait,
  )
  const tries = `${looks} ${looks === 1 ? 'check' : 'checks'}`
  return result(
    isMet,
    () =>
      `Expected recovery within ${withinMs} ms. After ${tries} in ${Math.round(tookMs)} ms, the last check ${last}.`,
    () =>
      `Expected no recovery within ${withinMs} ms. It took ${Math.round(tookMs)} ms (${tries}); the last check ${last}.`,
  )
}
