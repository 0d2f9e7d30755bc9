import { currentScope, type Injection, type InjectOptions, type Scope, type SeenCall } from '@chaos/core'
import { MAX_TIMER_MS } from '@chaos/core/authoring'
import { calledAt, type Hit } from '../search/model.js'
import { carrierOf, type Kind } from './kinds.js'
import { isWithin } from './points.js'
import { injectForRun, type Setting } from './setting.js'

/** Planned hits in force. */
export interface Armed {
  readonly injections: readonly Injection[]
  /** For each planned hit whether it has landed. */
  readonly landed: readonly boolean[]
  /** Waits for instant faults that have begun. */
  readonly done: () => Promise<unknown>
}

/**
 * Puts planned hits in force, each as an ordinary injection: `scope`, `only`, `skip` and `limit` say which call it hits.
 *
 * The injection made last sees a call first. Later calls are therefore planned last: a hit hides its own call alone from the
 * injections that were made before it, and these count earlier calls.
 */
export async function armPlan(plan: readonly Hit[], kinds: readonly Kind[], setting: RunSetting): Promise<Armed> {
  const landed = plan.map(() => false)
  const begun: Promise<void>[] = []
  const injections: Injection[] = []
  const order = plan.map((hit, n) => ({ hit, n })).sort((one, other) => one.hit.point.call - other.hit.point.call)
  for (const { hit, n } of order) {
    const kind = kinds.find(({ target, name }) => target === hit.point.target && name === hit.kind)
    if (kind === undefined) continue
    const land = (): void => {
      landed[n] = true
    }
    if (kind.fault.kind === 'standing') {
      injections.push(await injectForRun(kind, setting, { ...placeOf(hit, setting), onAffected: land }))
      continue
    }
    const carrier = carrierOf(calledAt(hit.point), kinds)
    if (carrier === undefined) continue
    const begin = (): void => {
      const { signal } = setting
      begun.push(injectForRun(kind, setting, { ...(signal && { signal }) }).then(land, () => undefined))
    }
    injections.push(await injectForRun(carrier, setting, carried(hit, setting, begin)))
  }
  return { injections, landed, done: () => Promise.all(begun) }
}

/** What planned hits are put in force with. */
interface RunSetting extends Setting {
  /** The scope of the run. */
  readonly root: Scope
}

/** The blast radius of one planned hit. */
function placeOf({ point, times }: Hit, setting: RunSetting): InjectOptions {
  return {
    leaseMs: MAX_TIMER_MS,
    ...(point.scope !== '' && { scope: point.scope }),
    only: (args, operation) => isAt(point, setting, args, operation),
    skip: point.call - 1,
    ...(times === undefined && { limit: 1 }),
  }
}

/** Whether a call is of the chain of a point, and of this run: one that an earlier run has left behind has the same names. */
function isAt(
  point: Hit['point'],
  { keyOf, root }: RunSetting,
  args: ArrayLike<unknown>,
  name: string | symbol,
): boolean {
  const current = currentScope()
  return (
    String(name) === point.operation &&
    isWithin(root, current) &&
    (current?.path ?? '') === point.scope &&
    keyOf?.(args, point.operation, calledAt(point)) === point.key
  )
}

/** Watches for the call at which an instant fault happens. */
function carried(hit: Hit, setting: RunSetting, begin: () => void): InjectOptions {
  const { skip = 0, limit: _limit, ...place } = placeOf(hit, setting)
  let calls = 0
  const onSeen = (_call: SeenCall): void => {
    calls += 1
    if (calls === skip + 1 || (hit.times === 'always' && calls > skip)) begin()
  }
  return { ...place, rate: 0, onSeen }
}
