import type { Held, InjectionContext } from '@chaos/core/authoring'
import type { Timing } from '../errors/timing.js'
import { memberReplacer, type ReplaceMember } from '../operations/member-replacer.js'

/** Calls `open` when an answer may begin, or `close` with a reason if it never may. */
export type Gate = (open: () => void, close: (reason: unknown) => void) => Pick<Held, 'drop'>

/** Changes a real answer on its way to the caller. An error that either function throws reaches the caller. */
export interface Passage {
  /** Changes one value: the value of a promise or a function, an item of an iteration, a chunk of a stream. */
  readonly item?: (value: unknown) => unknown
  /** Called when the answer is complete. */
  readonly end?: () => void
  /** Called when an iteration or a stream fails. What fails is not changed. */
  readonly broke?: (error: unknown) => void
}

/** The changes that one injection makes to answers that are objects. */
export interface AnswerChanges {
  /** Replaces a method of an answer until the injection ends. */
  readonly replaceMember: ReplaceMember
  /** Whether the injection has ended, so that answers pass unchanged. */
  readonly isOver: () => boolean
  /**
   * Calls a function when the injection ends.
   *
   * @returns A function that cancels the call.
   */
  readonly atEnd: (work: () => void) => () => void
}

/** The operations on answers of one kind. The result is an answer of the same kind. */
export interface Answers {
  /**
   * Makes an answer that fails: a rejection, a throw, or an iteration or a stream that breaks before its first item.
   *
   * @param timing When a promise rejects. Default: at once.
   */
  readonly failed: (makeError: () => Error, timing?: Timing) => unknown
  /** Changes the real answer on its way. */
  readonly through: (answer: unknown, passage: Passage, changes: AnswerChanges) => unknown
  /** Makes an answer that begins when the gate opens. Absent if an answer of this kind cannot wait. */
  readonly late?: (gate: Gate, proceed: () => unknown, changes: AnswerChanges) => unknown
  /** Makes an answer from one value. Absent if an answer of this kind has many values. */
  readonly one?: (value: unknown) => unknown
}

/** Makes the changes of one injection. */
export function answerChanges(context: InjectionContext): AnswerChanges {
  const replaceMember = memberReplacer(context)
  const works = new Set<() => void>()
  // Recorded after the replacer, so it is undone before the members are restored.
  context.defer(() => {
    for (const work of works) work()
    works.clear()
  })
  return {
    replaceMember,
    isOver: () => context.signal.aborted,
    atEnd(work) {
      works.add(work)
      return () => void works.delete(work)
    },
  }
}

/** The changes to answers that are promises, which need none. */
export const noChanges: AnswerChanges = {
  replaceMember: () => undefined,
  isOver: () => false,
  atEnd: () => () => undefined,
}

/** Makes a promise of what a call returns or throws. */
export function attempt(proceed: () => unknown): Promise<unknown> {
  return new Promise((resolve) => resolve(proceed()))
}

/** Returns whether a value has a `then` method. A value that cannot be read has none. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false
  try {
    return 'then' in value && typeof value.then === 'function'
  } catch {
    return false
  }
}
