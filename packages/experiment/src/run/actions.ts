import type { Clock } from '@chaos/core'
import { reasonOf } from '../shared/answer.js'
import type { Action } from '../model/experiment.js'
import { requestOf } from '../model/request.js'
import { withTimeout } from '../shared/time.js'

/** Default of an action's `timeoutMs`: the longest that it may take, in ms. */
const DEFAULT_TIMEOUT_MS = 10_000

/** Performs an action. @returns Why it failed; `undefined` if it succeeded. */
export async function perform(action: Action, clock: Clock): Promise<string | undefined> {
  try {
    await withTimeout(clock, action.timeoutMs ?? DEFAULT_TIMEOUT_MS, (signal) => work(action, signal))
    return undefined
  } catch (error) {
    return `${action.name}: ${reasonOf(error)}`
  }
}

async function work(action: Action, signal: AbortSignal): Promise<void> {
  if (action.type === 'function') {
    await action.run()
    return
  }
  const response = await fetch(action.url, { ...requestOf(action), signal })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`status ${response.status}`)
}
