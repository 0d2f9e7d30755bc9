import { ChaosError, isChaosError, type ChaosController, type Clock, type Injection } from '@chaos/core'
import { extendLease } from '@chaos/core/authoring'
import type { Plan } from '../plan/plan.js'
import type { Account } from './agent-state.js'
import type { Application } from './agent.js'

/** The most characters of the evidence in an answer, as JSON. It travels with each read. */
const MAX_EVIDENCE = 4_096

/**
 * Injects the fault of a plan with a lease that ends at the deadline. So the injection itself checks the deadline at each
 * call, also if the event loop has been blocked and neither timer nor agent could run.
 *
 * @param controller A controller of this process.
 * @param deadlineMs The deadline by `clock`.
 */
export function applyPlan(controller: ChaosController, clock: Clock, plan: Plan, deadlineMs: number): Application {
  const abort = new AbortController()
  const leaseUntil = (untilMs: number): number => Math.max(0, untilMs - clock.now())
  let injection: Injection | undefined
  let id: string | undefined
  let isArming = true
  const begunAtMs = clock.now()
  let landedAtMs: number | undefined
  let told: { readonly text: string; readonly account: Account } | undefined

  const how = { ...plan.how, leaseMs: leaseUntil(deadlineMs), signal: abort.signal }
  const unfollow = controller.follow((entry) => {
    if (entry.type === 'hit' || entry.type === 'warning') return
    // The id is told while `inject` runs, which may take longer than the first lease.
    if (entry.type === 'armed' && isArming) id ??= entry.injection.id
    if (entry.type === 'armed' || entry.injection.id !== id) return
    if (entry.type === 'landed') landedAtMs = clock.now()
    unfollow()
  })
  const injecting = controller.inject(plan.target, plan.fault, plan.options, how).then((state) => {
    if (!isLocal(state)) {
      abort.abort()
      throw new ChaosError('CHAOS_INVALID_OPTION', 'The controller of an agent must be one of this process.')
    }
    injection = state
    return state
  })
  isArming = false
  injecting.catch(unfollow)

  return {
    inForce: injecting.then(() => undefined),
    extend(untilMs) {
      if (id !== undefined) extendLease(id, leaseUntil(untilMs))
    },
    async revert() {
      // The injection is marked ended before this returns: its signal is heard synchronously.
      abort.abort(new ChaosError('CHAOS_INJECTION_ENDED', `The run ${plan.runId} has ended.`))
      let failures: readonly string[] = []
      try {
        failures = (await (await injecting).done).failures
      } catch (error) {
        // What was being put in force has been rolled back before the error was reported.
        if (isChaosError(error, 'CHAOS_ROLLBACK_FAILED')) throw error
      }
      if (failures.length > 0)
        throw new ChaosError('CHAOS_ROLLBACK_FAILED', `The rollback reported: ${failures.join('; ')}`)
    },
    account() {
      const did = accountOf(injection)
      // An account without news stays the same, ages included, so that an answer is seen to be the same.
      const text = JSON.stringify(did)
      if (told?.text === text) return told.account
      const nowMs = clock.now()
      const account = {
        ...did,
        appliedAgoMs: Math.round(nowMs - begunAtMs),
        ...(landedAtMs === undefined ? {} : { landedAgoMs: Math.round(nowMs - landedAtMs) }),
      }
      told = { text, account }
      return account
    },
    ended: new Promise((resolve) => {
      const whenDone = async (): Promise<void> => {
        const { outcome } = await (await injecting).done
        // A fault that is done, or has spent its limit, has landed. The run goes on until its controller ends it.
        if (outcome === 'stopped' || outcome === 'rolled-back') resolve('stopped')
        if (outcome === 'lease-expired') resolve('deadline')
      }
      // `inForce` reports a fault that could not be injected.
      whenDone().catch(() => undefined)
    }),
  }
}

/** Whether an injection is one of this process, and not the state of one elsewhere. */
function isLocal(state: object): state is Injection {
  return 'done' in state && state.done instanceof Promise
}

function accountOf(injection: Injection | undefined): Pick<Account, 'hits' | 'evidence'> {
  if (injection === undefined) return { hits: 0, evidence: [] }
  const evidence: Readonly<Record<string, unknown>>[] = []
  let size = 0
  // The latest evidence that fits.
  for (const one of [...injection.evidence].reverse()) {
    size += sizeOf(one)
    if (size > MAX_EVIDENCE) break
    evidence.unshift(one)
  }
  return { hits: injection.affected, evidence }
}

/** The length of evidence as JSON. What has none, such as a circle, is longer than any. */
function sizeOf(evidence: Readonly<Record<string, unknown>>): number {
  try {
    return JSON.stringify(evidence).length
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
