import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { answerChanges } from '../answer.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { wholeResult, callOptions, type Call } from '../call.js'
import { copyOf } from '../../operations/copy-of.js'

const options = {
  methods: option.names('Methods that read: names or globs.'),
  answers: callOptions.answers,
  lagMs: option.optional(
    option.durationMs('Age at which a remembered answer is read again, in ms. Default: never while the fault lasts.'),
  ),
}

/** Options of {@link serveStaleReads}. */
export type ServeStaleReadsOptions = OptionsOf<typeof serveStaleReads>

/** The most answers that one injection remembers. The oldest is forgotten first. */
const MAX_REMEMBERED = 10_000

/** The answer of one read. */
interface Snapshot {
  readonly answer: unknown
  readonly takenAt: number
}

/**
 * Answers reads with old values.
 *
 * Models a replica that has stopped replicating, or a cache without invalidation: an affected read gets the answer of
 * the first affected read with the same method and arguments, even if the value was written since. Reads that pass go
 * to the service, so at a rate below 1 newer and older values alternate. A failed read is not remembered. An injection
 * remembers up to 10,000 answers. Each caller gets its own copy of plain objects, arrays and bytes. An operation is a
 * call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `lagMs` does not fit a timer; `CHAOS_TARGET_MISMATCH` if `methods` match
 *   nothing or answer with more than one value.
 * @see Terry's session guarantees: read your writes, monotonic reads.
 */
export const serveStaleReads = defineFault({
  name: 'adapter/serve-stale-reads',
  kind: 'standing',
  summary: 'Answers reads with old values.',
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
    const changes = answerChanges(context)
    callSeam(options, { needs: 'one' })(target, context, (call) => {
      const key = keyOf(call)
      const known = key === undefined ? undefined : snapshots.get(key)
      const { answer } = known !== undefined && context.clock.now() - known.takenAt < lagMs ? known : take(key, call)
      return call.answers.through(answer, { item: (result) => (call.within ?? wholeResult)(result, copyOf) }, changes)
    })
  },
})

/** The longest key in characters; a longer one is replaced by its hash. */
const MAX_KEY_LENGTH = 200

/**
 * Returns the key of a read: its method and arguments in full. `inspect` shows only the first 50 bytes of a `Buffer`,
 * so the key holds all of them as base64.
 *
 * @returns `undefined` if the arguments cannot be inspected. Such a read is never answered from memory.
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
