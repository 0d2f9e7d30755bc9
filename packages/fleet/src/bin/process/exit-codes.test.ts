import { ChaosError, type ChaosErrorCode } from '@chaos/core'
import { expect, it } from 'vitest'
// The table and the numbers of the other command. A dependency on its packages would be one for each application.
import { errorInfo } from '../../../../control/src/api/error-table.js'
import { EXIT as EXIT_OF_CHAOS } from '../../../../cli/src/process/exit-codes.js'
import { EXIT, exitCodeOfError, nextStep } from './exit-codes.js'

const CODES: readonly ChaosErrorCode[] = [
  'CHAOS_INVALID_OPTION',
  'CHAOS_INVALID_EXPERIMENT',
  'CHAOS_REPORT_NOT_WRITTEN',
  'CHAOS_UNKNOWN_TARGET',
  'CHAOS_UNKNOWN_FAULT',
  'CHAOS_EXPERIMENT_REFUSED',
  'CHAOS_ROLLBACK_FAILED',
  'CHAOS_FLEET_PLAN_REFUSED',
  'CHAOS_FLEET_RUN_REFUSED',
  'CHAOS_FLEET_RUN_LOST',
  'CHAOS_FLEET_JOURNAL_BROKEN',
  'CHAOS_FLEET_UNREACHABLE',
  'CHAOS_FLEET_FORBIDDEN',
  'CHAOS_FLEET_IRREVERSIBLE',
  'CHAOS_FLEET_KEY_REFUSED',
]

it('has the exit codes of `chaos`', () => {
  const { inconclusive: _, ...shared } = EXIT
  expect(shared).toEqual(EXIT_OF_CHAOS)
})

it.each(CODES)('treats %s as `chaos` does', (code) => {
  expect(exitCodeOfError(new ChaosError(code, 'It failed.'))).toBe(EXIT_OF_CHAOS[errorInfo(code).kind])
  expect(nextStep(new ChaosError(code, 'It failed.'), 'ls')).not.toBe('')
})

it('takes what is no error of ours for a failure of the command', () => {
  expect(exitCodeOfError(new TypeError('oops'))).toBe(EXIT.internal)
  expect(nextStep(new TypeError('oops'), 'ls')).toBe('see `chaos fleet ls --help`')
  expect(nextStep(undefined, undefined)).toBe('see `chaos fleet --help`')
})
