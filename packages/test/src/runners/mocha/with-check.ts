/** The function of a test. It returns a promise, calls `done`, or does neither. */
export type TestBody = (this: unknown, done?: Done) => unknown

type Done = (error?: unknown) => void

/** What is done around the work of a test. */
interface Around {
  /** Runs the work. */
  readonly run: <Result>(work: () => Result) => Result
  /** Called once the work has passed. What it throws fails the test. */
  readonly check: () => void
}

/** What a function that stands for a test does. Mocha runs a test again with the function that stands for it. */
interface Standing {
  readonly body: TestBody
  /** By who does it: suites within each other may all have something to check. */
  readonly arounds: ReadonlyMap<object, Around>
}

const standing = new WeakMap<TestBody, Standing>()

/**
 * Has a test do something around its work.
 *
 * @param owner What it did for the same owner before, as in an earlier try of the test, it does no more.
 */
export function withCheck(given: TestBody, owner: object, around: Around): TestBody {
  const { body = given, arounds: before = [] } = standing.get(given) ?? {}
  const arounds = new Map(before).set(owner, around)
  const all = [...arounds.values()]
  const run = <Result>(work: () => Result): Result => all.reduceRight((inner, one) => () => one.run(inner), work)()
  const check = (): void => {
    for (const one of all) one.check()
  }
  const checked = function (this: unknown, done?: Done): unknown {
    if (done !== undefined) return run(() => body.call(this, doneAfter(check, done)))
    const result = run(() => body.call(this))
    if (isThenable(result)) return result.then(check)
    check()
    return result
  }
  // Mocha tells by it whether a test calls back.
  Object.defineProperty(checked, 'length', { value: body.length })
  standing.set(checked, { body, arounds })
  return checked
}

function doneAfter(check: () => void, done: Done): Done {
  return (error) => {
    // Mocha takes anything that is true for an error.
    let failure = error
    try {
      if (!error) check()
    } catch (missed) {
      failure = missed
    }
    done(failure)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
