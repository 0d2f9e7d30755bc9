import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { answerChanges } from '../answer.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { wholeResult, callOptions, type Call } from '../call.js'
import { copyOf } from '../../operations/copy-of.js'
import { keyOfArguments } from '../../operations/key-of-arguments.js'

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
 * remembers up to 10,000 answers, none of calls with a Proxy or more than 1 MB in their arguments. Each caller gets its own copy of plain objects, arrays and bytes. An operation is a
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
      const key = keyOfArguments([call.name, ...call.args])
      const known = key === undefined ? undefined : snapshots.get(key)
      const { answer } = known !== undefined && context.clock.now() - known.takenAt < lagMs ? known : take(key, call)
      return call.answers.through(answer, { item: (result) => (call.within ?? wholeResult)(result, copyOf) }, changes)
    })
  },
})
