import { ChaosError } from '@chaos/core'
import { markInjected, option } from '@chaos/core/authoring'
import { errorPresetNames, errorPresets, type ErrorPreset } from '../errors/index.js'
import { timingOf, type Timing } from '../errors/timing.js'
import type { Call } from './call.js'

/** A call that gets an error. */
export interface FailedCall {
  readonly method: string
  readonly args: readonly unknown[]
}

/** The portable options that describe an error, the same for every fault that injects one. */
export const errorOptions = {
  error: option.optional(option.oneOf(errorPresetNames, 'The outage: which error the caller gets.')),
  host: option.optional(
    option.text(
      'Host in the error, where the outage names one. Default: the one that a bound client of a driver is connected to, else 127.0.0.1.',
    ),
  ),
  port: option.optional(
    option.count(
      'Port in the error, where the outage names one. Default: the one that a bound client of a driver is connected to, else 80.',
    ),
  ),
  message: option.optional(option.text('A custom error: its message.')),
  code: option.optional(option.text('A custom error: its code.')),
  name: option.optional(option.text('A custom error: its name.')),
}

/** What JSON cannot carry of them. */
export const errorOptionsInProcess = {
  makeError: option.optional(
    option.func<(call: FailedCall) => Error>('A custom error, made for each call. In process only.'),
  ),
}

/** The options as a fault gets them. */
export interface ErrorDescription {
  readonly error?: ErrorPreset | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly message?: string | undefined
  readonly code?: string | undefined
  readonly name?: string | undefined
  readonly makeError?: ((call: FailedCall) => Error) | undefined
}

/** Makes the error of one call: fresh, and marked. */
export type ErrorOf = (call: Call) => Error

/**
 * Decides once which error is meant.
 *
 * @param fallback The error where none is described: a preset, or a maker of its own.
 * @throws ChaosError `CHAOS_INVALID_OPTION` when more than one is described
 */
export function errorOf(fault: string, described: ErrorDescription, fallback: ErrorPreset | ErrorOf): ErrorOf {
  const make = makerOf(fault, described, fallback)
  return (call) => {
    let made: unknown
    try {
      made = make(call)
    } catch (error) {
      // `makeError` throws: then this is what the caller gets.
      made = error
    }
    // `makeError` may make something else, which cannot be marked.
    return markInjected(
      made instanceof Error || (typeof made === 'object' && made !== null) ? (made as Error) : new Error(String(made)),
      fault,
    )
  }
}

/** Decides once when calls fail: the error of an outage comes in the same kind of turn as the real one, a custom error at once. */
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
      `Expected one description of the error of ${fault}, got ${given.join(' and ')}. Keep one of them.`,
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
