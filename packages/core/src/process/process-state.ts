import { ChaosError } from '../basics/errors.js'

/** Bumped when the shape of {@link ProcessState} changes, not with the package version. */
const PROTOCOL = 1

/** The three steps of ending, as another copy of core can call them. */
export interface LiveInjection {
  /** Position in the order of arming, across all copies of core. */
  readonly sequence: number
  /** Marks it ended: no hit after this. `false` if it was already ending. */
  mark(outcome: 'stopped'): boolean
  /** Lets go of what it holds back. */
  release(): void
  /** Takes everything back; the promise never rejects. */
  undo(): Promise<{ readonly failures: readonly unknown[]; readonly state: unknown }>
}

/** What must be one per process, whichever copies of core are loaded (ESM, CommonJS, two versions): plain data under a protocol number. */
export interface ProcessState {
  readonly protocol: number
  /** Last sequence number given out. */
  sequence: number
  readonly live: Set<LiveInjection>
  /** Patch records per object; the shape is `patch.ts`'s. */
  readonly patches: WeakMap<object, unknown>
  /** The objects that patches have put between targets and their prototypes. */
  readonly splices: WeakSet<object>
  readonly injectedErrors: WeakMap<object, string>
  /** How many injections each object has had, per fault and target name: the k of `fault@target#k`. */
  readonly counts: WeakMap<object, Map<string, number>>
  /** Each implements `ChaosController`, of this or another version. */
  readonly controllers: Set<object>
}

const KEY = Symbol.for('@chaos/core')

/**
 * The state that all copies of core share.
 *
 * @throws ChaosError `CHAOS_CORE_CONFLICT` when another copy of core speaks another protocol.
 */
export function processState(): ProcessState {
  const state = (Reflect.get(globalThis, KEY) as ProcessState | undefined) ?? start()
  if (state.protocol !== PROTOCOL) {
    throw new ChaosError(
      'CHAOS_CORE_CONFLICT',
      `Expected the copies of @chaos/core in this process to share protocol ${PROTOCOL}, got ${String(state.protocol)}. Install one major version of @chaos/core.`,
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
    counts: new WeakMap(),
    controllers: new Set(),
  }
  Object.defineProperty(globalThis, KEY, { value: state, configurable: true })
  return state
}
