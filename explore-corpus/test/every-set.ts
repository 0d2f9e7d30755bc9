import { inject, type Injection, type SeenCall } from '@chaos/core'
import { openScope, runInScope } from '@chaos/core/authoring'
import type { KnownHit, RunningApp } from '../src/shared/corpus-app.js'
import { planned } from './planned.js'

/** A run, with what it has reached. */
interface Tried {
  readonly hits: readonly KnownHit[]
  readonly reached: readonly KnownHit[]
  readonly isBroken: boolean
}

/**
 * Runs an app under each set of at most `depth` hits, without leaving any out: what no clever search may miss.
 *
 * A set grows by the hits at calls that its own run has reached after its last hit.
 */
export async function* everySet(app: RunningApp, depth: number): AsyncGenerator<Tried> {
  try {
    yield* everySetOf(app, depth)
  } finally {
    app.close?.()
  }
}

async function* everySetOf(app: RunningApp, depth: number): AsyncGenerator<Tried> {
  let level = [await tried(app, [])]
  yield* level
  for (let size = 1; size <= depth; size += 1) {
    const next: Tried[] = []
    for (const { hits, reached } of level) {
      const last = hits.at(-1)
      const after = last === undefined ? reached : reached.slice(lastIndexAt(reached, last) + 1)
      for (const hit of after) {
        const run = await tried(app, [...hits, hit])
        next.push(run)
        yield run
      }
    }
    level = next
  }
}

function lastIndexAt(reached: readonly KnownHit[], hit: KnownHit): number {
  return reached.reduce((last, one, at) => (isAt(one, hit) ? at : last), -1)
}

function isAt(one: KnownHit, other: KnownHit): boolean {
  return (
    one.scope === other.scope &&
    one.target === other.target &&
    one.operation === other.operation &&
    one.call === other.call
  )
}

async function tried(app: RunningApp, hits: readonly KnownHit[]): Promise<Tried> {
  app.reset()
  const { clock } = app
  const root = openScope('corpus', { parent: undefined, numbered: false })
  const reached: KnownHit[] = []
  const injections: Injection[] = []
  try {
    injections.push(...(await planned(app, hits, root)))
    for (const [target, faults] of Object.entries(app.faults)) {
      for (const fault of faults) {
        const onSeen = ({ operation, scope, call }: SeenCall): void => {
          const within = scope?.path.slice(`${root.path} > `.length)
          const at = within === undefined || within === '' ? {} : { scope: within }
          reached.push({ ...at, target, operation: String(operation), call, fault: fault.name })
        }
        injections.push(await inject(fault, app.targets[target] as object, { scope: root, rate: 0, onSeen, clock }))
      }
    }
    const isBroken = await runInScope(root, app.body).then(
      () => false,
      () => true,
    )
    return { hits, reached, isBroken }
  } finally {
    for (const injection of injections.reverse()) await injection.rollback()
  }
}
