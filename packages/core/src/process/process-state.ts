import { ChaosError } from '../basics/errors.js'

/** Raised when the shape of {@link ProcessState} changes; independent of the package version. */
const PROTOCOL = 1

/** The three steps of ending an injection, which any copy of core can call. */
export interface LiveInjection {
  /** Position in the order of arming, across all copies of core. */
  readonly sequence: number
  /** Marks the injection ended, so that it has no more hits. Returns `false` if it was already ending. */
  mark(outcome: 'stopped'): boolean
  /** Releases held work. */
  release(): void
  /** Runs the undo steps. The promise never rejects. */
  undo(): Promise<{ readonly failures: readonly unknown[]; readonly state: unknown }>
}

/** The state that all copies of core in a process share (ESM, CommonJS, two versions): plain data under a protocol number. */
export interface ProcessState {
  readonly protocol: number
  /** The last sequence number in use. */
  sequence: number
  readonly live: Set<LiveInjection>
  /** Patch records per object, in the shape of `PatchRecord`. */
  readonly patches: WeakMap<object, unknown>
  /** The objects that patches have inserted between targets and their prototypes. */
  readonly splices: WeakSet<object>
  readonly injectedErrors: WeakMap<object, string>
  /** The objects that no fault affects, such as the connection that controls the faults. */
  readonly exempt: WeakSet<object>
  /** The ids of the injections in force. */
  readonly ids: Set<string>
  /** How many injections without a given seed each object has had, per fault and target name: the k of `fault@target#k`. */
  readonly counts: WeakMap<object, Map<string, number>>
  /** Controllers: each implements `ChaosController` of this or another version. */
  readonly controllers: Set<object>
  /** What carries scopes, in the shape of `ScopeState`. Made by the first who needs scopes. */
  scopes?: object
}

const KEY = Symbol.for('@chaos/core')

/**
 * Returns the state that all copies of core in this process share.
 *
 * @throws ChaosError `CHAOS_CORE_CONFLICT` if another copy of core uses another protocol.
 */
export function processState(): ProcessState {
  const state = (Reflect.get(globalThis, KEY) as ProcessState | undefined) ?? start()
  if (state.protocol !== PROTOCOL) {
    throw new ChaosError(
      'CHAOS_CORE_CONFLICT',
      `Two copies of @chaos/core in this process cannot share state: one uses protocol ${PROTOCOL}, the other ${String(state.protocol)}. Install one major version of @chaos/core.`,
    )
  }
  return state
}

function start(): ProcessState {
  const state: ProcessState = {
    protocol: PROTOCOL,
    sequence: 0,
    live: new Set(),
    patches: new WeakMap(),
    splices: new WeakSet(),
    injectedErrors: new WeakMap(),
    exempt: new WeakSet(),
    ids: new Set(),
    counts: new WeakMap(),
    controllers: new Set(),
  }
  Object.defineProperty(globalThis, KEY, { value: state, configurable: true })
  return state
}
