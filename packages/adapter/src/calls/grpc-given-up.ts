import type { InjectionContext } from '@chaos/core/authoring'
import type { Method } from '../operations/member-replacer.js'
import type { AnswerChanges } from './answer.js'
import type { ChannelCall, GrpcChannel } from './grpc-channel.js'

/** The most calls that wait for their first attempt and are watched. */
const MAX_WATCHED = 10_000

/**
 * Watches calls until their first attempt.
 *
 * @returns A function that tells whether the call of an attempt was cancelled, or its deadline passed, before.
 */
export function callsGivenUp(
  channel: GrpcChannel,
  { replaceMember }: AnswerChanges,
  context: InjectionContext,
): (attempt: ChannelCall) => boolean {
  const waiting = new Map<number, { isGivenUp: boolean; readonly stop: () => void }>()
  const leave = (number: number): boolean => {
    const call = waiting.get(number)
    waiting.delete(number)
    call?.stop()
    return call?.isGivenUp === true
  }
  context.patch(
    channel,
    'createCall',
    (below) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const call = below.call.apply(this, args) as ChannelCall
        const number = call.getCallNumber?.()
        if (number === undefined || context.signal.aborted) return call
        replaceMember(call, 'cancelWithStatus', (cancel, stop) => {
          const state = { isGivenUp: false, stop }
          waiting.set(number, state)
          return (...status) => {
            state.isGivenUp = true
            return Reflect.apply(cancel as Method, call, status)
          }
        })
        const [oldest] = waiting.keys()
        if (waiting.size > MAX_WATCHED && oldest !== undefined) leave(oldest)
        return call
      },
  )
  return (attempt) => {
    const number = attempt.getCallNumber?.()
    return number !== undefined && leave(number)
  }
}
