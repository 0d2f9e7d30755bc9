import { ChaosError, type ChaosController, type InjectionState, type JournalEntry } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import { batchError } from './batch-error.js'
import type { Caller } from './callers.js'
import type { EventConnection } from './event-stream.js'
import { injectFor } from './inject-for-caller.js'
import type { InjectRequest } from './route.js'
import { plainState } from './schemas.js'

/**
 * Injects several faults for a client that may disconnect: all of them, or none. All are checked before the first is
 * injected. If one fails, or one that is in force is stopped meanwhile, those before it are rolled back, newest first.
 *
 * @throws ChaosError The error of the injection that failed, with its index.
 */
export async function injectAllFor(
  controller: ChaosController,
  requests: readonly InjectRequest[],
  caller: Caller,
  holder: EventConnection | undefined,
): Promise<readonly InjectionState[]> {
  await checkAll(controller, requests)
  const made: InjectionState[] = []
  const lost = new Map<string, string>()
  const stopFollowing = controller.follow((entry) => {
    if (isLoss(entry)) lost.set(entry.injection.id, entry.injection.outcome ?? '')
  })
  try {
    for (const [index, request] of requests.entries()) {
      try {
        made.push(await injectFor(controller, request, caller, holder))
        assertWhole(made, lost, caller, holder)
      } catch (error) {
        const rest = await rolledBack(controller, made)
        throw batchError(error, index, request.fault, rest)
      }
    }
    const states = new Map((await controller.injections()).map((state) => [state.id, state]))
    return made.map((state) => plainState(states.get(state.id) ?? state))
  } finally {
    stopFollowing()
  }
}

/** Whether an entry says that a fault has ended without having done what it was injected for. */
function isLoss(entry: JournalEntry): entry is JournalEntry & { readonly type: 'ended' } {
  return entry.type === 'ended' && entry.injection.outcome !== 'completed' && entry.injection.outcome !== 'limit-spent'
}

/** @throws ChaosError `CHAOS_INJECTION_ENDED` if not everything that was injected before is still in force */
function assertWhole(
  made: readonly InjectionState[],
  lost: ReadonlyMap<string, string>,
  caller: Caller,
  holder: EventConnection | undefined,
): void {
  const gone = made.find(({ id }) => lost.has(id))
  if (caller.hasLeft || holder?.isOpen === false)
    throw new ChaosError('CHAOS_INJECTION_ENDED', 'The client left before all faults of the batch were in force.')
  if (gone !== undefined)
    throw new ChaosError(
      'CHAOS_INJECTION_ENDED',
      `The injection ${gone.id} has ended (${lost.get(gone.id) ?? ''}) before all faults of the batch were in force.`,
    )
}

/** @throws ChaosError The first error, with the index of its injection */
async function checkAll(controller: ChaosController, requests: readonly InjectRequest[]): Promise<void> {
  const instant = await instantFaults(controller)
  const ids = new Set<string>()
  for (const [index, { target, fault, options, how }] of requests.entries()) {
    try {
      await controller.check(target, fault, options, how)
      if (how.id !== undefined && ids.has(how.id))
        throw new ChaosError('CHAOS_INVALID_OPTION', `An earlier injection of the batch has the id "${how.id}" too.`, {
          details: { of: 'inject', field: '/id', expected: 'an id that no other injection of the batch has' },
        })
      if (how.id !== undefined) ids.add(how.id)
      if (instant(target, fault) && index < requests.length - 1)
        throw new ChaosError(
          'CHAOS_INVALID_OPTION',
          `${fault} is instant and cannot be taken back. A batch may have one instant fault, as its last injection.`,
          { details: { of: 'inject', field: '/fault', expected: 'a standing fault; an instant one only at the end' } },
        )
    } catch (error) {
      throw batchError(error, index, fault, ' Nothing was injected.')
    }
  }
}

/** Returns whether a fault of a target is instant. Both names are known to exist. */
async function instantFaults(controller: ChaosController): Promise<(target: string, fault: string) => boolean> {
  const [targets, faults] = await Promise.all([controller.targets(), controller.faults()])
  const instant = new Set(faults.filter(({ kind }) => kind === 'instant').map(({ name }) => name))
  return (target, fault) => {
    const offered = targets.find(({ name }) => name === target)?.faults ?? []
    return instant.has(offered.includes(fault) ? fault : (offered.find((name) => name.endsWith(`/${fault}`)) ?? fault))
  }
}

/** Ends what was injected, newest first. @returns What became of it, for the message. */
async function rolledBack(controller: ChaosController, made: readonly InjectionState[]): Promise<string> {
  const failures: string[] = []
  for (const { id } of [...made].reverse())
    await controller.stop(id).catch((error: unknown) => failures.push(messageOf(error, { max: 500 })))
  if (failures.length > 0) return ` The rollback of the injections before it failed in part: ${failures.join('; ')}`
  return made.length === 0 ? '' : ' The injections before it were rolled back.'
}
