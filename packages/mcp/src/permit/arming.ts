import type { LocalProcess } from '@chaos/control'
import { ChaosError } from '@chaos/core'
import { controllerRefusal, printable } from '@chaos/core/authoring'
import { inWords } from '../shared/duration.js'
import { names } from './permit.js'
import { readPermits } from './permit-store.js'

/** Whether faults may be injected into a process. */
export type ArmingState =
  | { readonly isOpen: true; readonly until: number }
  | { readonly isOpen: false; readonly refusal: ChaosError }

/** What decides whether faults may be injected. */
export interface Arming {
  /** Reads the permit again, each time. */
  stateOf(process: LocalProcess): ArmingState
  /**
   * Checks that faults may be injected into a process, and that a lease ends before the permit does.
   *
   * @throws ChaosError `CHAOS_ARMING_CLOSED` when nobody has permitted it, `CHAOS_DISABLED` or
   *   `CHAOS_ENVIRONMENT_REFUSED` when this environment forbids it
   */
  assertOpen(process: LocalProcess, leaseMs: number): void
}

/** Decides by the environment of this process and by the permit on disk, and by nothing else. */
export function arming(env: NodeJS.ProcessEnv, now: () => number = Date.now): Arming {
  const stateOf = (process: LocalProcess): ArmingState => {
    const refusal = environmentRefusal(env)
    if (refusal !== undefined) return { isOpen: false, refusal }
    const { permits, problems } = readPermits(now())
    const until = Math.max(0, ...permits.filter((one) => names(one, process)).map(({ expiresAt }) => expiresAt))
    if (until > 0) return { isOpen: true, until }
    const why = [
      permits.length === 0
        ? 'Nobody has permitted faults.'
        : `The permit does not name process ${process.pid} (${printable(process.name)}).`,
      ...problems.slice(0, 2),
    ]
    return { isOpen: false, refusal: closed(why.join(' '), openCommand(process)) }
  }
  return {
    stateOf,
    assertOpen(process, leaseMs) {
      const state = stateOf(process)
      if (!state.isOpen) throw state.refusal
      const leftMs = state.until - now()
      if (leaseMs <= leftMs) return
      throw closed(
        `The permit ends in ${inWords(Math.max(0, leftMs))}, before a lease of ${inWords(leaseMs)} would.`,
        openCommand(process),
      )
    },
  }
}

/** The command by which a person permits faults in a process. */
const openCommand = ({ pid }: Pick<LocalProcess, 'pid'>): string => `npx chaos-mcp open --for 15m --process ${pid}`

const closed = (why: string, command: string): ChaosError =>
  new ChaosError(
    'CHAOS_ARMING_CLOSED',
    `${why} Ask the person you work for to type this in a terminal of their own, if they agree: ${command}`,
  )

/**
 * Why this environment forbids faults: `CHAOS_DISABLED`, or `NODE_ENV=production` without an exception. The process that is
 * broken has its own guard, which decides for its environment.
 */
export function environmentRefusal(env: NodeJS.ProcessEnv): ChaosError | undefined {
  return controllerRefusal('development', ['development'], env)
}
