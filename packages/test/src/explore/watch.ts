import { inject, type Fault, type Injection } from '@chaos/core'
import { MAX_TIMER_MS, type TargetKind } from '@chaos/core/authoring'
import type { Kind } from './kinds.js'
import type { TargetMap } from './options.js'
import { injectForRun, type Setting } from './setting.js'
import { WatchContexts, type OnSeen } from './watch-context.js'

/**
 * Watches the calls that kinds of faults see, without an effect. It is one injection for all of them, since an injection of each
 * kind costs more than most runs.
 *
 * @returns The watch, unless there is nothing to watch.
 * @throws Any error of a kind on a target that it accepts.
 */
export async function watchCalls(
  kinds: readonly Kind[],
  setting: Setting,
  onSeen: OnSeen,
): Promise<readonly Injection[]> {
  const standing = kinds.filter(({ fault }) => fault.kind === 'standing')
  if (standing.length === 0) return []
  const { targets, clock } = setting
  return [await inject(watchOf(standing, onSeen), targets, { leaseMs: MAX_TIMER_MS, targetName: 'explore', clock })]
}

/**
 * Has `inject` refuse the first target that a kind does not accept.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH`
 */
export async function assertFit(kinds: readonly Kind[], setting: Setting): Promise<void> {
  const accepted = new Map<object, Set<TargetKind>>()
  for (const kind of kinds) {
    if (kind.fault.kind === 'instant') continue
    const target = setting.targets[kind.target]
    const known = target && (accepted.get(target) ?? new Set())
    if (target !== undefined && known !== undefined) {
      if (known.has(kind.fault.target)) continue
      accepted.set(target, known.add(kind.fault.target))
      if (kind.fault.target.accepts(target)) continue
    }
    await (await injectForRun(kind, setting, { rate: 0 })).rollback()
  }
}

/** A fault that breaks nothing: each kind acts on its own target as it would, and none of its operations is chosen. */
function watchOf(kinds: readonly Kind[], onSeen: OnSeen): Fault<TargetMap> {
  return {
    name: 'test/watch-calls',
    kind: 'standing',
    options: {},
    portable: false,
    target: { expects: 'the targets of a test', accepts: () => true },
    async inject(targets, context) {
      const contexts = new WatchContexts(context, onSeen)
      for (const kind of kinds) {
        const pending = kind.fault.inject(targets[kind.target] as object, contexts.of(kind))
        // Most faults are in force at once: a turn of the queue of promises for each would add up.
        if (pending !== undefined) await pending
      }
    },
  }
}
