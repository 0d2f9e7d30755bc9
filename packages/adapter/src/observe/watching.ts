import type { InjectionContext, Operation } from '@chaos/core/authoring'
import type { Recorder } from './recorder.js'

/**
 * Turns the context of an injection into one that watches: its layers stay above those of faults that are injected later, so
 * that it sees what the caller sees, and the calls that it watches count as passed.
 */
export function watching(context: InjectionContext, recorder: Recorder): InjectionContext {
  recorder.attach(context)
  const patch: InjectionContext['patch'] = (object, key, layer, options) =>
    context.patch(object, key, layer, { ...options, outermost: true })
  const operation: InjectionContext['operation'] = (name) => watched(context.operation(name))
  return Object.create(context, { patch: { value: patch }, operation: { value: operation } }) as InjectionContext
}

function watched(operation: Operation): Operation {
  return {
    readsArguments: operation.readsArguments === true,
    covers: (args) => operation.covers(args),
    shouldInject: (args) => operation.chance(args) !== undefined,
    chance: (args) => operation.chance(args),
  }
}
