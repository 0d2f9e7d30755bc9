import { errorInfo } from '@chaos/control'
import { isChaosError } from '@chaos/core'
import { EXIT } from './exit-codes.js'

/** The exit code of an error. */
export function exitCodeOfError(error: unknown): number {
  return isChaosError(error) ? EXIT[errorInfo(error.code).kind] : EXIT.internal
}

/** The next step for the user after an error. */
export function nextStep(error: unknown, verb = ''): string {
  const advice = isChaosError(error) ? errorInfo(error.code).advice : undefined
  if (advice !== undefined) return advice
  return verb === 'inject'
    ? 'see the options with `chaos inject <target> <fault> --help`'
    : `see \`${`chaos ${verb}`.trim()} --help\``
}
