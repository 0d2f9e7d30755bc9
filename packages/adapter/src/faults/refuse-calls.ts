import { ChaosError, defineFault, markInjected, option, optionsSchema, type OptionsOf, type OptionsOutput } from '@chaos/core'
import { chooseMethods, holderOf, isMethodTarget, type MethodTarget } from '../bindings/methods.js'
import { errorPresetNames, errorPresets } from '../presets/index.js'

const NAME = 'adapter/refuse-calls'

/** A call that is refused. */
export interface RefusedCall {
  readonly method: string
  readonly args: readonly unknown[]
}

const schema = optionsSchema(
  {
    methods: option.optional(option.names('Methods to refuse: names or globs. Default: every async method.')),
    error: option.optional(option.oneOf(errorPresetNames, 'The outage: which error the caller gets. Default: fail-fast.')),
    host: option.optional(option.text('Host in the error, where the outage names one.'), '127.0.0.1'),
    port: option.optional(option.count('Port in the error, where the outage names one.'), 80),
    message: option.optional(option.text('A custom error: its message.')),
    code: option.optional(option.text('A custom error: its code.')),
    name: option.optional(option.text('A custom error: its name.')),
  },
  { makeError: option.optional(option.func<(call: RefusedCall) => Error>('A custom error, made for each call. In process only.')) },
)

/**
 * Options of {@link refuseCalls}: `methods`, names or globs (default: every `async` method); `error`, a preset (default `fail-fast`), with `host`
 * (default 127.0.0.1) and `port` (default 80) where it names them; or a custom error by `message`, `code` and `name`, or by `makeError`.
 */
export type RefuseCallsOptions = OptionsOf<typeof refuseCalls>

/**
 * Refuses calls before they reach the service.
 *
 * Models a dependency that is down: nothing is done, the caller hears an error. Refused calls reject, they never throw where they are
 * called; each gets a fresh error. A call that passes gets the very promise that the target made. With a class as target, all of its
 * instances are affected. An operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when more than one error is described; `CHAOS_TARGET_MISMATCH` when `methods` match nothing
 * @see Simmy's fault strategy, which throws a given exception from a callback's place.
 */
export const refuseCalls = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Refuses calls before they reach the service.',
  schema,
  check: errorMaker,
  expects: 'an object or a class with methods',
  accepts: isMethodTarget,
  inject(target: MethodTarget, options, context) {
    const holder = holderOf(target)
    const makeError = errorMaker(options)
    for (const method of chooseMethods(holder, options.methods)) {
      const operation = context.operation(method)
      context.patch(holder, method, (below) => function (this: unknown, ...args: unknown[]): unknown {
        if (!operation.shouldInject(args)) return below.call.apply(this, args)
        return refused(makeError, { method, args })
      })
    }
  },
})

type ErrorMaker = (call: RefusedCall) => Error

/** A rejection, also when the error's own maker throws: then that is what the caller hears. */
function refused(makeError: ErrorMaker, call: RefusedCall): Promise<never> {
  return new Promise((_resolve, reject) => reject(markInjected(makeError(call), NAME)))
}

/** Decides once which error is meant. */
function errorMaker({ error, message, code, name, host, port, makeError }: OptionsOutput<typeof schema>): ErrorMaker {
  const described = [error !== undefined && '`error`', (message ?? code ?? name) !== undefined && '`message`, `code` and `name`', makeError !== undefined && '`makeError`'].filter(Boolean)
  if (described.length > 1) {
    throw new ChaosError('CHAOS_INVALID_OPTION', `Expected one description of the error of ${NAME}, got ${described.join(' and ')}. Keep one of them.`)
  }
  if (makeError !== undefined) return makeError
  if (message !== undefined || code !== undefined || name !== undefined) return () => customError(message ?? 'Service unavailable', code, name)
  const preset = errorPresets[error ?? 'fail-fast']
  return () => preset({ host, port })
}

function customError(message: string, code: string | undefined, name: string | undefined): Error {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code })
  if (name !== undefined) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return error
}
