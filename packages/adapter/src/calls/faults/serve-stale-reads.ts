import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { covering } from '../../operations/covering.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { asItIs, callOptions, type Call } from '../call.js'
import { copyOf } from '../../operations/copy-of.js'

const options = {
  methods: option.names('The methods that read: names or globs.'),
  answers: callOptions.answers,
  lagMs: option.optional(
    option.durationMs(
      'How long after a state was taken the replica catches up with it, in ms. Default: not while the fault lasts.',
    ),
  ),
}

/** Options of {@link serveStaleReads}. */
export type ServeStaleReadsOptions = OptionsOf<typeof serveStaleReads>

/** Reads remembered at most, per injection; the oldest leave first. */
const MAX_REMEMBERED = 10_000

/** What one read answered. */
interface Snapshot {
  readonly answer: unknown
  readonly takenAt: number
}

/**
 * Answers reads with what was true before.
 *
 * Models a replica that has stopped replicating, or a cache that nobody invalidates: an affected read (method and arguments) gets what the first affected
 * read of its kind got, however often the value was written since. Reads that pass go to the primary, so that at a rate below 1 newer and older
 * values come in turn. A failed read is not remembered. Plain objects, arrays and bytes are copied for each caller. An operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`; `CHAOS_TARGET_MISMATCH` when `methods` match nothing, or answer with more than one value
 * @see Terry's session guarantees: read your writes, monotonic reads.
 */
export const serveStaleReads = defineFault({
  name: 'adapter/serve-stale-reads',
  kind: 'standing',
  summary: 'Answers reads with what was true before.',
  options,
  target: methodTarget,
  inject(target, { lagMs = Number.POSITIVE_INFINITY, ...options }, context) {
    const snapshots = new Map<string, Snapshot>()
    context.defer(() => snapshots.clear())
    const take = (key: string | undefined, { proceed }: Call): Snapshot => {
      const snapshot = { answer: proceed(), takenAt: context.clock.now() }
      if (key === undefined) return snapshot
      snapshots.delete(key)
      snapshots.set(key, snapshot)
      const [oldest] = snapshots.keys()
      if (snapshots.size > MAX_REMEMBERED && oldest !== undefined) snapshots.delete(oldest)
      Promise.resolve(snapshot.answer).catch(() => {
        if (snapshots.get(key) === snapshot) snapshots.delete(key)
      })
      return snapshot
    }
    const layOver = covering(context)
    callSeam(options, { needs: 'one' })(target, context, (call) => {
      const key = keyOf(call)
      const known = key === undefined ? undefined : snapshots.get(key)
      const { answer } = known !== undefined && context.clock.now() - known.takenAt < lagMs ? known : take(key, call)
      return call.answers.through(answer, { item: (result) => (call.within ?? asItIs)(result, copyOf) }, layOver)
    })
  },
})

/** A longer key is known by its hash. */
const MAX_KEY_LENGTH = 200

/**
 * Two reads are the same when method and arguments look the same in full; of bytes, `inspect` alone would show the first few.
 *
 * @returns `undefined` for arguments that cannot be looked at: such a read is like no other.
 */
function keyOf({ name, args }: Call): string | undefined {
  try {
    const shown = args.map((arg) => (Buffer.isBuffer(arg) ? arg.toString('base64') : arg))
    const key = `${name} ${inspect(shown, { depth: Number.POSITIVE_INFINITY, maxArrayLength: null, maxStringLength: null, breakLength: Number.POSITIVE_INFINITY })}`
    return key.length > MAX_KEY_LENGTH ? createHash('sha256').update(key).digest('base64') : key
  } catch {
    return undefined
  }
}
