import { ChaosError, type InjectionState } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import { nameOf } from './explanation.js'
import { hasMissed, type Recorded } from './recorded.js'

/** An error for each fault that was in force and hit nothing, though it was to hit something. */
export function missesOf(records: readonly Recorded[]): readonly Error[] {
  return records.flatMap((record) =>
    record.injection !== undefined && hasMissed(record) ? [missedError(record, record.injection)] : [],
  )
}

/**
 * The error of a test that passed although a fault of it hit nothing. Its stack points to the call that injected the fault.
 *
 * @param record A fault that was in force.
 */
function missedError(record: Recorded, injection: InjectionState): ChaosError {
  const error = new ChaosError(
    'CHAOS_FAULT_MISSED',
    `The fault ${nameOf(injection)} hit nothing in this test. ${reasonOf(record, injection)} ` +
      'Pass `mayMiss: true` to `inject` if the fault may hit nothing.',
  )
  error.stack = `${error.name}: ${error.message}\n${record.calledFrom}`
  return error
}

function reasonOf({ how, outside }: Recorded, { seen }: InjectionState): string {
  if (seen > 0)
    return `It saw ${seen} ${seen === 1 ? 'call' : 'calls'} and let ${seen === 1 ? 'it' : 'all of them'} pass. Check \`skip\`, \`every\`, \`rate\` and the options of the fault.`
  if (outside !== undefined) {
    const from = outside.scope === undefined ? '' : ` in "${printable(outside.scope.path, { max: 300 })}"`
    const seenCall = `Calls such as \`${printable(String(outside.operation), { max: 200 })}\`${from} were seen, but outside of`
    return how.scope === undefined
      ? `${seenCall} the test's scope. What was started before the test, such as a server, works outside of its scope: start it in the test, or do not scope the test. What a hook injects is in force in the scope too, which begins in the test when that uses its \`chaos\`.`
      : `${seenCall} \`scope\`. Make them within \`withScope\` of that name, or leave \`scope\` out.`
  }
  return how.only === undefined
    ? 'It saw no call. Check that the test uses this very target.'
    : 'It saw no call that passes `only`. Check `only`, and that the test uses this very target.'
}
