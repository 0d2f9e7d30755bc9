import { errorInfo } from '@chaos/control'
import { isChaosError } from '@chaos/core'
import { EXIT } from './exit-codes.js'

/** The exit code that tells an error's cause. */
export function exitCodeOfError(error: unknown): number {
  return isChaosError(error) ? EXIT[errorInfo(error.code).kind] : EXIT.internal
}

/** The step to take after an error of a verb. */
export function nextStep(error: unknown, verb = ''): string {
  const advice = isChaosError(error) ? errorInfo(error.code).advice : undefined
  if (advice !== undefined) return advice
  return verb === 'inject'
    ? 'see the options with `chaos inject <target> <fault> --help`'
    : `see \`${`chaos ${verb}`.trim()} --help\``
}
