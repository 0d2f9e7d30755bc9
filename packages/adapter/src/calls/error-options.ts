import { ChaosError } from '@chaos/core'
import { markInjected, option } from '@chaos/core/authoring'
import { errorPresetNames, errorPresets, type ErrorPreset } from '../errors/index.js'
import { timingOf, type Timing } from '../errors/timing.js'
import type { Call } from './call.js'

/** A call that fails with an injected error. */
export interface FailedCall {
  readonly method: string
  readonly args: readonly unknown[]
}

/** The portable options that describe an error. All faults that inject errors share them. */
export const errorOptions = {
  error: option.optional(option.oneOf(errorPresetNames, 'Preset of the error that the caller gets.')),
  host: option.optional(
    option.text('Host in the error, if the preset names one. Default: the host of a bound client, else 127.0.0.1.'),
  ),
  port: option.optional(
    option.count('Port in the error, if the preset names one. Default: the port of a bound client, else 80.'),
  ),
  message: option.optional(option.text('Message of a custom error.')),
  code: option.optional(option.text('Code of a custom error.')),
  name: option.optional(option.text('Name of a custom error.')),
}

/** The options that JSON cannot carry. */
export const errorOptionsInProcess = {
  makeError: option.optional(
    option.func<(call: FailedCall) => Error>('Function that makes a custom error for each call. In process only.'),
  ),
}

/** The values of {@link errorOptions} and {@link errorOptionsInProcess}. */
export interface ErrorDescription {
  readonly error?: ErrorPreset | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly message?: string | undefined
  readonly code?: string | undefined
  readonly name?: string | undefined
  readonly makeError?: ((call: FailedCall) => Error) | undefined
}

/** Makes a new, marked error for one call. */
export type ErrorOf = (call: Call) => Error

/**
 * Checks the description of an error.
 *
 * @param fallback The preset or error factory for options that describe no error.
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the options describe more than one error.
 */
export function errorOf(fault: string, described: ErrorDescription, fallback: ErrorPreset | ErrorOf): ErrorOf {
  const make = makerOf(fault, described, fallback)
  return (call) => {
    let made: unknown
    try {
      made = make(call)
    } catch (error) {
      // If `makeError` throws, the caller gets the thrown value.
      made = error
    }
    // `makeError` may return a primitive, which cannot be marked.
    return markInjected(
      made instanceof Error || (typeof made === 'object' && made !== null) ? (made as Error) : new Error(String(made)),
      fault,
    )
  }
}

/** Returns when calls fail: a preset in the same kind of turn as its real error, a custom error at once. */
export function failureTiming(described: ErrorDescription, fallback: ErrorPreset | ErrorOf): Timing {
  const isCustom = (described.makeError ?? described.message ?? described.code ?? described.name) !== undefined
  const preset = described.error ?? fallback
  return isCustom ? 'same-turn' : typeof preset === 'string' ? timingOf(preset) : 'later-turn'
}

function makerOf(
  fault: string,
  { error, host, port, message, code, name, makeError }: ErrorDescription,
  fallback: ErrorPreset | ErrorOf,
): ErrorOf {
  const given = [
    error !== undefined && '`error`',
    (message ?? code ?? name) !== undefined && '`message`, `code` and `name`',
    makeError !== undefined && '`makeError`',
  ].filter(Boolean)
  if (given.length > 1) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `${fault} accepts one description of its error, but several were given: ${given.join('; ')}. Keep one of them.`,
    )
  }
  if (makeError !== undefined) return ({ name: method, args }) => makeError({ method, args })
  if (given.length > 0 && error === undefined) return () => customError(message ?? 'Service unavailable', code, name)
  if (error === undefined && typeof fallback === 'function') return fallback
  const preset = errorPresets[error ?? (fallback as ErrorPreset)]
  return ({ name: method, args, target, endpoint }) =>
    preset({ host: host ?? endpoint?.host ?? '127.0.0.1', port: port ?? endpoint?.port ?? 80, method, args, target })
}

function customError(message: string, code: string | undefined, name: string | undefined): Error {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code })
  if (name !== undefined) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return error
}
