import type { Seam } from '@chaos/core/authoring'
import type { Call, CallNeeds, ChosenCalls } from './call.js'
import { commandCalls } from './command-calls.js'
import { isCommandTarget } from './commands.js'
import { grpcCalls } from './grpc-calls.js'
import { isGrpcClient } from './grpc-channel.js'
import { methodCalls } from './method-calls.js'
import type { MethodTarget } from './methods.js'

/**
 * The calls of a target: of the chosen methods of an object or of a client of grpc-js, or the chosen commands of a
 * bound client.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH`, when the seam is patched, if nothing is chosen or if a chosen method
 *   answers in a way that the fault does not support.
 */
export function callSeam(chosen: ChosenCalls, needs: CallNeeds = {}): Seam<MethodTarget, Call> {
  return (target, context, act) => {
    const { methods, answers } = chosen
    // Whether a fault is on may depend on each call that it sees.
    const isAlwaysOn = needs.isOn === undefined
    if (isAlwaysOn && context.isWatched?.(target, `calls ${JSON.stringify([methods, answers, needs.needs])}`)) return
    const calls = isCommandTarget(target)
      ? commandCalls(target, chosen, needs)
      : // Faults that make an answer of their own, or repeat a call, act on the methods of the client.
        isGrpcClient(target) && chosen.answers === undefined && !needs.needs?.includes('one')
        ? grpcCalls(target, chosen, needs)
        : methodCalls(target, chosen, needs)
    calls(context, act)
  }
}
