/** What Jest's own runner knows of the test that runs. */
export interface RunningJestTest {
  /** The names of the suites around the test and its own, outermost first. */
  readonly names: readonly string[]
  readonly hasFailed: boolean
}

interface Block {
  readonly name: string
  readonly parent?: Block
}

/** The state of `jest-circus`, which is the default runner since Jest 27. */
interface CircusState {
  readonly currentlyRunningTest?: (Block & { readonly errors: readonly unknown[] }) | null
}

/** The description of the symbol by which `jest-circus` keeps its state in the global object of a test file. */
const STATE = 'JEST_STATE_SYMBOL'

/**
 * Reads the running test. No API of Jest tells a hook whether its test has failed.
 *
 * @returns `undefined` in another runner, and where no test runs.
 */
export function runningTest(): RunningJestTest | undefined {
  const symbol = Object.getOwnPropertySymbols(globalThis).find(({ description }) => description === STATE)
  if (symbol === undefined) return undefined
  const { currentlyRunningTest: test } = (globalThis as unknown as Readonly<Record<symbol, CircusState>>)[symbol] ?? {}
  if (test === undefined || test === null) return undefined
  const names = [test.name]
  // The outermost block stands for the file.
  for (let block = test.parent; block?.parent !== undefined; block = block.parent) names.unshift(block.name)
  return { names, hasFailed: test.errors.length > 0 }
}
